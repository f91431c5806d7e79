"""What do the routes of ingest work with?"""

from dataclasses import dataclass

from pagerpal_common.clock import Now

from pagerpal_ingest.admission import Admission
from pagerpal_ingest.receipts import Receipts
from pagerpal_ingest.replies import Replies
from pagerpal_ingest.sns import Sns
from pagerpal_ingest.sources import Sources


@dataclass(frozen=True)
class Context:
    """What the routes work with."""

    sources: Sources
    admission: Admission
    now: Now
    sns: Sns
    receipts: Receipts
    replies: Replies
