"""Where may a key be, and what if there is more than one?"""

import pytest
from pagerpal_common.errors import Invalid, Unauthenticated
from pagerpal_ingest.domain.credentials import key_hash, source_key

Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([(b"x-api-key", b"pp_k")], b""),
        ([(b"x-alert-source-key", b" pp_k ")], b""),
        ([(b"authorization", b"Bearer pp_k")], b""),
        ([(b"authorization", b"bearer  pp_k")], b""),
        ([], b"api_key=pp_k"),
        ([], b"a=1&token=pp%5Fk"),
        ([(b"x-api-key", b"pp_k"), (b"authorization", b"Bearer pp_k")], b"token=pp_k&api_key=pp_k"),
        ([(b"x-api-key", b""), (b"authorization", b"Bearer pp_k")], b"token="),
        ([(b"authorization", b"Basic Z3JhZmFuYTpwcF9r")], b"key=other"),
        ([(b"authorization", b"basic  Z3JhZmFuYTpwcF9r ")], b""),
        ([(b"authorization", b"Basic OnBwX2s=")], b""),
        ([(b"authorization", b"Basic cHBfazo=")], b""),
        ([(b"authorization", b"Basic cHBfaw==")], b""),
        ([(b"x-api-key", b"pp_k"), (b"authorization", b"Basic Z3JhZmFuYTpwcF9r")], b"token=pp_k"),
    ],
)
def test_the_key_is_found_wherever_it_may_be(headers: Headers, query: bytes) -> None:
    assert source_key(headers, query) == "pp_k"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([], b""),
        ([(b"x-api-key", b" ")], b"token="),
        ([], b"key=pp_k"),
        ([(b"authorization", b"Basic Og==")], b""),
        ([(b"authorization", b"Basic")], b""),
        ([(b"authorization", b"Basic not base64!")], b""),
        ([(b"authorization", b"Digest username=pp_k")], b""),
        ([(b"authorization", b"pp_k")], b""),
    ],
)
def test_a_request_without_a_key_is_unauthenticated(headers: Headers, query: bytes) -> None:
    with pytest.raises(Unauthenticated):
        source_key(headers, query)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([(b"x-api-key", b"a"), (b"x-api-key", b"b")], b""),
        ([(b"x-api-key", b"a"), (b"x-alert-source-key", b"b")], b""),
        ([(b"x-api-key", b"a"), (b"authorization", b"Bearer b")], b""),
        ([(b"x-api-key", b"a"), (b"authorization", b"Basic Z3JhZmFuYTpwcF9r")], b""),
        ([(b"x-api-key", b"a")], b"token=b"),
        ([], b"token=b&api_key=a"),
        ([], b"token=b&token=a"),
    ],
)
def test_several_different_keys_are_refused(headers: Headers, query: bytes) -> None:
    with pytest.raises(Invalid):
        source_key(headers, query)


def test_a_key_of_any_bytes_has_a_hash() -> None:
    assert len(key_hash(source_key([(b"x-api-key", bytes(range(128, 256)))], b"token="))) == 32


def test_the_hash_is_sha_256_of_the_whole_key() -> None:
    assert key_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
