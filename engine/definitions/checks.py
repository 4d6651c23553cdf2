"""The list of everything an app is checked for beyond the shape of its files. Read the tuples as a table of contents.

Each check is a small function from what was read to problems; it never raises and knows nothing of the others, so an
author with five mistakes sees five. Expressions are judged while compiling; what SQL can answer is judged by storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from engine.definitions.app_checks import (
    app_can_be_reached,
    cards_count_known_forms,
    dimension_forms_exist,
    hotkeys_can_be_pressed,
    menu_items_lead_somewhere,
)
from engine.definitions.approver_checks import (
    approvers_can_be_found,
    choosers_come_before,
    plugins_are_there,
    votes_can_be_won,
)
from engine.definitions.calendar_checks import app_calendar_exists, calendars_have_working_time
from engine.definitions.compiled import AppBundle
from engine.definitions.condition_checks import conditions_tell_apart
from engine.definitions.consequence_checks import (
    consequences_are_single,
    consequences_have_their_place,
    consequences_name_what_exists,
    consequences_reach_somebody,
)
from engine.definitions.course_checks import (
    actions_do_something,
    branches_can_be_walked,
    deadlines_come,
    steps_can_be_reached,
    waits_end,
)
from engine.definitions.entry_checks import (
    costs_can_be_found,
    entry_words_mean_something,
    serials_are_counted,
    statuses_are_known,
)
from engine.definitions.field_checks import (
    fills_fit,
    formulas_are_whole,
    ids_are_unique,
    labels_are_told_apart,
    line_tables_are_flat,
    links_lead_to_forms,
    names_are_free,
    quantities_know_their_unit,
    rows_fit_a_table,
    tables_are_apart,
    unique_fields_can_be_indexed,
)
from engine.definitions.form_checks import (
    actions_fit_the_kind,
    checks_stand_beside_fields,
    display_fields_exist,
    executions_are_pushed,
    fetches_fill_a_table,
    keys_name_fields,
    lists_show_known_fields,
    numbers_can_be_made,
    sections_cover_known_fields,
    sources_fit_both_forms,
    trees_name_links,
    unit_tables_are_complete,
)
from engine.definitions.language_checks import labels_have_english
from engine.definitions.load import Loaded
from engine.definitions.process_checks import (
    entries_name_their_balance,
    entries_say_how_much,
    own_ledgers_are_new,
    postings_belong_to_documents,
)
from engine.definitions.role_checks import (
    forms_can_be_read,
    granted_actions_exist,
    granted_fields_exist,
    grants_name_forms,
    stock_rows_need_a_warehouse,
    tags_are_carried,
)
from engine.definitions.rule_checks import (
    look_ups_find_something,
    names_are_new,
    options_are_their_own,
    rules_have_one_trigger,
    tables_are_complete,
    triggers_can_happen,
)
from engine.definitions.rule_circles import rules_come_to_an_end
from engine.definitions.rule_proofs import conditions_can_hold, kinds_are_provided, tables_decide
from engine.definitions.rule_tests import rule_tests_pass
from engine.definitions.story_checks import (
    stories_start_on_a_day,
    story_documents_exist,
    story_people_are_known,
    story_settings_exist,
    story_steps_do_one_thing,
)
from engine.definitions.voucher_checks import vouchers_know_ledgers, vouchers_name_accounts
from engine.definitions.workflow_checks import (
    calls_lead_somewhere,
    node_fields_exist,
    returns_name_nodes,
    subflows_end,
    subflows_fit_both_forms,
    workflow_nodes_are_unique,
    workflows_belong_to_one_document,
)
from engine.definitions.workflow_tests import workflow_tests_pass
from engine.problems import Problem

DefinitionCheck: TypeAlias = Callable[[Loaded], Iterator[Problem]]
BundleCheck: TypeAlias = Callable[[Loaded, AppBundle], Iterator[Problem]]

DEFINITION_CHECKS: tuple[DefinitionCheck, ...] = (
    app_can_be_reached,
    dimension_forms_exist,
    menu_items_lead_somewhere,
    cards_count_known_forms,
    hotkeys_can_be_pressed,
    names_are_free,
    links_lead_to_forms,
    quantities_know_their_unit,
    ids_are_unique,
    tables_are_apart,
    rows_fit_a_table,
    labels_are_told_apart,
    line_tables_are_flat,
    formulas_are_whole,
    numbers_can_be_made,
    keys_name_fields,
    lists_show_known_fields,
    sections_cover_known_fields,
    checks_stand_beside_fields,
    sources_fit_both_forms,
    fetches_fill_a_table,
    executions_are_pushed,
    trees_name_links,
    unit_tables_are_complete,
    actions_fit_the_kind,
    workflows_belong_to_one_document,
    workflow_nodes_are_unique,
    approvers_can_be_found,
    node_fields_exist,
    branches_can_be_walked,
    calls_lead_somewhere,
    subflows_end,
    subflows_fit_both_forms,
    returns_name_nodes,
    steps_can_be_reached,
    waits_end,
    deadlines_come,
    actions_do_something,
    choosers_come_before,
    votes_can_be_won,
    postings_belong_to_documents,
    entries_name_their_balance,
    own_ledgers_are_new,
    entries_say_how_much,
    costs_can_be_found,
    entry_words_mean_something,
    serials_are_counted,
    statuses_are_known,
    rules_have_one_trigger,
    triggers_can_happen,
    look_ups_find_something,
    names_are_new,
    tables_are_complete,
    consequences_are_single,
    consequences_have_their_place,
    consequences_reach_somebody,
    consequences_name_what_exists,
    rules_come_to_an_end,
    options_are_their_own,
    grants_name_forms,
    granted_actions_exist,
    granted_fields_exist,
    tags_are_carried,
    stock_rows_need_a_warehouse,
    forms_can_be_read,
    vouchers_name_accounts,
    vouchers_know_ledgers,
    stories_start_on_a_day,
    story_steps_do_one_thing,
    story_people_are_known,
    story_documents_exist,
    story_settings_exist,
    calendars_have_working_time,
    app_calendar_exists,
    labels_have_english,
)

# These need types, so they run only when everything compiled.
BUNDLE_CHECKS: tuple[BundleCheck, ...] = (
    display_fields_exist,
    fills_fit,
    unique_fields_can_be_indexed,
    rule_tests_pass,
    conditions_can_hold,
    tables_decide,
    kinds_are_provided,
    plugins_are_there,
    conditions_tell_apart,
    workflow_tests_pass,
)


def check_definitions(loaded: Loaded) -> Iterator[Problem]:
    """What is wrong between definitions."""
    for check in DEFINITION_CHECKS:
        yield from check(loaded)


def check_bundle(loaded: Loaded, bundle: AppBundle) -> Iterator[Problem]:
    """What is wrong with a bundle whose expressions are all sound."""
    for check in BUNDLE_CHECKS:
        yield from check(loaded, bundle)
