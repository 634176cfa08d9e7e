"""What breaks somebody's client or script when it differs from heketi, and the tests that hold it.

Whoever moves or renames one of these tests moves its name here.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

HELD = {
    "clients paste Location behind the host and sign it": (
        "api/test_queue.py::test_work_starts_with_an_empty_202_and_a_bare_path",
        "api/test_queue.py::test_a_job_that_made_something_is_a_303_again_and_again",
    ),
    "X-Pending stands for not done, whatever its value": (
        "api/test_queue.py::test_a_job_that_made_something_is_a_303_again_and_again",
        "api/test_queue.py::test_a_job_that_made_nothing_is_a_204",
        "api/test_queue.py::test_a_job_that_failed_is_a_500_with_its_text_and_code",
    ),
    "GET and DELETE with a body": ("api/test_bodies.py::test_a_body_where_none_belongs_is_ignored",),
    "bearer in either case": ("api/test_authentication.py::test_the_scheme_is_read_without_regard_to_case_and_blanks",),
    "tokens that live a second, and seven days": ("api/test_authentication.py::test_a_good_token_is_accepted",),
    "a signed path is the one that arrives": (
        "api/test_authentication.py::test_the_signed_path_is_the_decoded_one_without_the_query",
    ),
    "hello without a token": ("api/test_authentication.py::test_hello_needs_no_token_and_looks_at_none",),
    "metrics without a token": ("api/test_metrics.py::test_no_token_is_needed_and_our_own_numbers_are_there",),
    "a new cluster is 201": ("api/test_bodies.py::test_a_new_cluster_is_201_and_looks_as_when_it_is_asked_for",),
    "a deleted cluster is 200": ("api/test_bodies.py::test_deleting_a_cluster_answers_an_empty_200_without_a_type",),
    "flags are 200": ("api/test_bodies.py::test_set_flags_answers_an_empty_body_that_claims_to_be_json",),
    "tags are 200, bad ones 400": (
        "api/test_tags.py::test_tags_are_set_updated_and_deleted",
        "api/test_tags.py::test_the_form_is_judged_before_the_object_is_looked_for",
    ),
    "a resync is a GET that is answered 202": ("api/test_bodies.py::test_a_body_where_none_belongs_is_ignored",),
    "a malformed id is 404 before anything else": (
        "api/test_in_use.py::test_a_malformed_id_is_404_before_the_body_is_looked_at",
    ),
    "an unknown id is 404 after the body's own checks": (
        "api/test_bodies.py::test_an_unparsable_body_comes_before_an_unknown_id",
        "api/test_bricks_and_clones.py::test_an_evict_is_decoded_then_checked_then_looked_up",
        "api/test_recorded_requests.py::test_the_server_answers_as_heketi_did",
    ),
    "what is in use, and a node that is added twice, are 409": (
        "api/test_whole_server.py::test_what_needs_the_books_is_refused_in_heketis_words",
    ),
    "a name that is taken, and no space, are 500 of the POST itself": (
        "api/test_recorded_requests.py::test_the_server_answers_as_heketi_did",
    ),
    "names of 128 characters": ("api/test_in_use.py::test_a_name_of_128_characters_is_kept",),
    "the mount hosts are all nodes of the cluster": (
        "api/test_in_use.py::test_a_volume_is_mounted_from_all_nodes_of_its_cluster_with_the_first_one_in_front",
    ),
    "the gauges have heketi's labels and equal the topology": (
        "api/test_metrics.py::test_the_gauges_equal_the_topology",
    ),
    "two empty options, and pv_uuid": (
        "api/test_in_use.py::test_a_volume_without_options_shows_two_empty_ones_and_a_device_its_uuid",
    ),
    "the examiner shows how bricks are mounted": (
        "services/test_examination.py::test_all_of_a_node_is_shown_in_heketis_form",
    ),
    "429 beyond the configured operations": (
        "api/test_in_use.py::test_beyond_the_configured_number_of_operations_it_is_busy",
    ),
    "ids of 32 digits": ("api/test_in_use.py::test_every_id_is_32_hexadecimal_digits",),
    "dump and export have heketi's sections and records": (
        "api/test_dump.py::test_a_dump_has_heketis_members_in_heketis_order",
        "services/test_interchange.py::test_every_sample_comes_out_as_it_went_in_but_for_its_generation",
    ),
    "an import without pv_uuid, and with a generation of its own": (
        "server/test_database.py::test_what_was_imported_is_exported_to_a_file_or_to_standard_output",
    ),
    "an unknown attribute stops the server": (
        "server/test_database.py::test_a_server_does_not_start_on_a_database_of_a_newer_heketi",
    ),
    "without keys it needs --disable-auth": ("server/test_process.py::test_heketi_refuses_in_heketis_words",),
    "the database is one file, and a copy of it is complete": (
        "server/test_in_use.py::test_the_one_file_that_is_copied_after_a_stop_holds_everything",
        "server/test_process.py::test_the_database_is_one_complete_file_as_soon_as_the_end_begins",
    ),
    "the file may be deleted and put back": (
        "server/test_in_use.py::test_a_file_that_is_taken_away_begins_anew_and_one_that_is_put_back_goes_on",
        "db/test_leftovers.py::test_the_copy_of_a_stopped_server_put_back_after_a_kill_is_not_mixed_either",
    ),
    "it ends within ten seconds of SIGINT": (
        "server/test_in_use.py::test_it_ends_within_ten_seconds_of_sigint_whatever_it_is_at",
    ),
    "what must not start is gone at once": (
        "server/test_in_use.py::test_what_cannot_start_is_gone_before_anything_heavy_is_imported",
    ),
    "SIGUSR2 leads back to normal": ("server/test_process.py::test_a_signal_leads_out_of_the_read_only_mode",),
    "the environment names the executor": ("server/test_process.py::test_the_environment_names_the_executor",),
    "configurations written by Go programs": (
        "config/test_load.py::test_a_file_in_which_a_go_program_wrote_everything_unset_is_one_that_sets_nothing",
        "config/test_load.py::test_comments_are_silent_and_unknown_keys_are_named_with_the_nearest_known_one",
    ),
    "export and import overwrite nothing": (
        "server/test_database.py::test_what_is_wrong_is_told_in_heketis_words_and_nothing_is_left",
    ),
    "a database that a server holds is given up after three seconds": (
        "server/test_in_use.py::test_a_database_that_a_server_holds_is_given_up_after_three_seconds",
        "server/test_database.py::test_a_database_that_a_server_holds_is_left_alone",
    ),
    "operations are cleaned up without a server": (
        "server/test_offline.py::test_what_a_killed_server_left_is_cleaned_up_without_serving",
    ),
    "the database's own volume is updated": (
        "server/test_offline.py::test_the_volume_of_the_database_gets_its_options_once_and_beside_a_server",
    ),
    "hooks see single commands in heketi's form": (
        "operations/test_heketi_form.py::test_what_an_operation_sends_has_the_form_of_heketis_commands",
        "executors/test_injection.py::test_hooks_are_searched_in_each_single_command_and_the_first_that_fits_is_taken",
        "executors/test_injection.py::test_what_stands_before_has_run_what_is_hooked_has_not_and_its_failure_ends_the_batch",
    ),
    "a hook waits for its file": (
        "executors/test_injection.py::test_a_hook_takes_effect_only_while_its_file_is_there",
        "server/test_injection.py::test_a_create_fails_as_configured_while_the_file_is_there_and_leaves_nothing",
    ),
    "every member of a reaction": ("executors/test_injection.py::test_a_reaction_answers_as_its_members_say",),
    "result hooks see command and output": (
        "executors/test_injection.py::test_behind_a_command_hooks_see_it_and_what_it_left_and_it_has_run",
    ),
    "a panic kills the process": (
        "server/test_injection.py::test_a_panic_ends_the_server_and_the_next_one_puts_everything_right",
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_what_is_relied_on_has_its_test(what: str) -> None:
    missing = []
    for test in HELD[what]:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
        if re.search(rf"^(async )?def {name}\(", text, re.MULTILINE) is None:
            missing.append(test)
    assert missing == []
