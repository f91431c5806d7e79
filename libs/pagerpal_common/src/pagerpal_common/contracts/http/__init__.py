"""What web's document says of the public routes of other services. Each of them is held to it by a test."""

from pagerpal_common.contracts.http.operation import Operation

OF_OTHERS: tuple[Operation, ...] = ()
