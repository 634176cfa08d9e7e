"""Bodies about pending operations: heketi's, and what they have more where there is more to say."""

from heketipy.domain.pending import (
    Action,
    Change,
    OpenDebt,
    PendingCounts,
    PendingRecord,
    RecordType,
    UnrecordedOperation,
    Unsettled,
)
from heketipy.wire.encode import encode
from heketipy.wire.operations import counts_info, pending_details, pending_list

ID = "22243ad1ae0b05d309b21685b5734a2d"
OTHER = "a06ecddc787698cad131ec8762553c7f"
DUE = 1_800_000_000.0


def create(status: str, *, at_work: bool = False, reason: str = "", next_try: float | None = None) -> PendingRecord:
    actions = (Action(Change.ADD_BRICK, ID), Action(Change.ADD_VOLUME, OTHER))
    return PendingRecord(ID, 1, RecordType.CREATE_VOLUME, actions, status, at_work, reason, next_try)


def body(*records: PendingRecord) -> str:
    return encode(pending_list(Unsettled(records, (), ()))).decode()


def test_what_runs_is_shown_as_heketi_shows_it() -> None:
    assert body() == '{"pendingoperations":[]}\n'
    assert body(create("", at_work=True)) == (
        f'{{"pendingoperations":[{{"id":"{ID}","type_name":"create-volume","status":"","sub_status":"in-flight"}}]}}\n'
    )
    assert encode(pending_details(create("stale"))).decode() == (
        f'{{"id":"{ID}","type_name":"create-volume","status":"stale","sub_status":"","changes":'
        f'[{{"id":"{ID}","description":"Add brick"}},{{"id":"{OTHER}","description":"Add volume"}}]}}\n'
    )
    counts = counts_info(PendingCounts(total=1, in_flight=1, stale=0, failed=0, new=0))
    assert encode(counts) == b'{"total":1,"in_flight":1,"stale":0,"failed":0,"new":0}\n'


def test_what_is_stuck_says_why_and_when_it_is_tried_next_behind_heketis_members() -> None:
    stuck = create("failed", reason="target is busy", next_try=DUE)
    more = {"reason": "target is busy", "next_try": "2027-01-15T08:00:00Z"}
    (listed,) = pending_list(Unsettled([stuck], (), ()))["pendingoperations"]
    assert list(listed) == ["id", "type_name", "status", "sub_status", "reason", "next_try"]
    assert {name: listed[name] for name in more} == more
    details = pending_details(stuck)
    assert {name: details[name] for name in more} == more


def test_what_heketi_has_no_record_of_stands_in_a_list_of_its_own() -> None:
    removal = UnrecordedOperation(ID, "remove-device", "failed", at_work=False, reason="busy", next_try=DUE)
    answer = pending_list(Unsettled((), [removal], ()))
    assert answer["pendingoperations"] == []
    assert answer["unrecorded"] == [
        {
            "id": ID,
            "type_name": "remove-device",
            "status": "failed",
            "sub_status": "",
            "reason": "busy",
            "next_try": "2027-01-15T08:00:00Z",
        }
    ]


def test_debts_are_counted_and_listed_with_their_reason() -> None:
    bricks = OpenDebt(ID, OTHER, "n1", ID, DUE, (ID,), "", 4096, 2, "no route to host", None)
    detach = OpenDebt(OTHER, OTHER, "n1", ID, DUE, (), "n2", 0, 0, "peer is down", DUE)
    answer = pending_list(Unsettled((), (), [bricks, detach]))
    since = "2027-01-15T08:00:00Z"
    assert answer["debts"] == [
        {
            "id": ID,
            "node": OTHER,
            "host": "n1",
            "operation": ID,
            "bricks": [ID],
            "charged": 4096,
            "created": since,
            "attempts": 2,
            "reason": "no route to host",
        },
        {
            "id": OTHER,
            "node": OTHER,
            "host": "n1",
            "operation": ID,
            "detach": "n2",
            "created": since,
            "attempts": 0,
            "reason": "peer is down",
            "next_try": since,
        },
    ]
    assert counts_info(PendingCounts(total=0, in_flight=0, stale=0, failed=0, new=0, debts=2))["debts"] == 2
