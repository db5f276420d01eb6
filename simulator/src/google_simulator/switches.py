"""Switches for what nobody outside Google knows for sure, with their settings.

The first setting is the default. The number is the section of `docs/reference/simulator-facts.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from google_simulator.model import Setting
from google_simulator.world import World


@dataclass(frozen=True)
class Switch:
    """One open question about Google, with its possible answers."""

    name: str
    fact: str
    settings: tuple[str, ...]
    question: str


SWITCHES: dict[str, Switch] = {
    switch.name: switch
    for switch in (
        Switch("callback_iss", "1.3", ("off", "on"), "Does the callback carry `iss`?"),
        Switch("nothing_ticked", "1.5", ("sign_in_only", "access_denied"),
               "The user unticks everything: a token with sign-in scopes, or a denial?"),
        Switch("consent_preticked", "1.5", ("on", "off"),
               "Are the boxes of the consent page ticked at first? (Google: off)"),
        Switch("separate_sign_in_page", "1.5", ("off", "on"),
               "Are sign-in scopes confirmed on a page of their own? (Google: on)"),
        Switch("exchange_redirect_error", "1.8", ("redirect_uri_mismatch", "invalid_grant"),
               "Error when the exchange names another redirect URI."),
        Switch("invalid_client_status", "1.8", ("401", "400"), "Status of `invalid_client`."),
        Switch("pkce_description", "1.2", ("Invalid code verifier.", "Bad Request"),
               "Description when the code verifier is wrong."),
        Switch("superfluous_verifier", "1.2", ("refused", "ignored"),
               "A code verifier at the exchange though no challenge was sent."),
        Switch("revoke_unknown", "1.10", ("400", "200"),
               "Status of revoking an unknown or already revoked token."),
        Switch("access_after_revoke", "1.10", ("dies", "lives"),
               "Do access tokens end with the grant, or live on until they expire?"),
        Switch("owned_means", "1.11", ("access_role", "data_owner"),
               "What `calendar.events.owned` counts as owned."),
        Switch("owned_violation", "1.11", ("403", "404"),
               "Status when an `.owned` scope meets a calendar that is not owned."),
        Switch("patch_on_tombstone", "3.3", ("stays_cancelled", "revives"),
               "A patch without `status` on a deleted event."),
        Switch("emptied_trash_get", "3.3", ("cancelled", "not_found"),
               "`get` of an event whose trash was emptied."),
        Switch("no_op_patch", "3.3", ("keeps_etag", "new_etag"), "A patch that changes nothing."),
        Switch("deleted_get", "3.2", ("cancelled", "404", "410"), "`get` of a deleted event."),
        Switch("missing_zone", "3.8", ("error", "calendar"),
               "A `dateTime` with neither offset nor zone: refused, or in the calendar's zone?"),
        Switch("utc_as", "3.8", ("Z", "+00:00"), "How UTC is written in answers."),
        Switch("dst_fold", "3.8", ("earlier", "later"),
               "Which side a wall clock time in a DST gap or overlap falls to."),
        Switch("empty_event", "3.8", ("accepted", "refused"), "An event that ends as it starts."),
        Switch("max_description", "3.6", ("none", "8192"),
               "Length above which `description` is refused."),
        Switch("empty_text", "3.6", ("left_out", "kept"),
               "A title, place or description that is empty: is it in answers?"),
        Switch("trailing_semicolon", "3.9", ("accepted", "refused"),
               "A recurrence line that ends with `;`."),
        Switch("number_property_value", "3.6", ("refused", "as_text"),
               "A number as value of an extended property."),
        Switch("beyond_max_attendees", "3.6", ("nobody", "first"),
               "Who is shown when there are more than `maxAttendees` and the account is no guest."),
        Switch("exception_of_deleted_series", "3.9", ("cancelled", "404"),
               "`get` of an exception whose series was deleted."),
        Switch("list_not_modified", "3.4", ("on", "off"),
               "Is a list with a known ETag answered with 304?"),
        Switch("send_updates_unset", "3.6", ("none", "all"),
               "What a write without `sendUpdates` counts as."),
        Switch("guests_with_updates_none", "3.6", ("never_see_it", "see_it"),
               "Do guests see an event that was written with `sendUpdates=none`? (Google warns that"
               " some may not)"),
        Switch("sync_restriction_reason", "4", ("badRequest", "invalid"),
               "Reason when a sync token meets a forbidden parameter."),
        Switch("sync_ignores_window", "4", ("on", "off"),
               "Are increments free of the `timeMin` and `timeMax` of the first sync?"),
        Switch("deleted_series_singly", "4", ("instances", "master"),
               "With `singleEvents`, a deleted series comes per instance, about six months of them,"
               " or as its master id."),
        Switch("deleted_instance_rows", "4", ("sparse", "with_series"),
               "Is an instance of a deleted series told by id and status alone, or with its series"
               " and original start?"),
        Switch("shortened_series_singly", "4", ("unreported", "instances"),
               "With `singleEvents`, are the instances that a changed rule no longer has told as"
               " cancelled?"),
        Switch("acl_change_expires_tokens", "4", ("on", "off"),
               "Does a changed role end the calendar's sync tokens?"),
        Switch("paging", "3.10", ("full", "short", "empty"),
               "Pages as asked; half as long; or every other one empty."),
        Switch("sync_message", "5", ("after_answer", "before_answer"),
               "When the `sync` message of a new channel arrives."),
        Switch("reminder_edit_notifies", "5", ("off", "on"),
               "Does an edit of reminders alone send a notification?"),
        Switch("channels_stop_twice", "5", ("404", "204"), "Stopping a channel a second time."),
        Switch("bad_address_status", "5", ("401", "403", "400"),
               "Status when the address of a channel is not authorised."),
        Switch("plain_http_push", "5", ("loopback", "refused", "allowed"),
               "Addresses without https: only on this machine (so that tests can listen), never,"
               " or always. (Google: refused)"),
        Switch("busy_tentative", "6", ("busy", "free"),
               "Does freeBusy count tentative and unanswered invitations?"),
        Switch("busy_declined", "6", ("free", "busy"), "Does freeBusy count declined events?"),
        Switch("busy_periods", "6", ("merged", "separate"),
               "Are freeBusy's periods merged and clipped to the asked range?"),
        Switch("rate_limit_form", "7.2", ("403", "403-user", "429", "429-front-end"),
               "Shape of a rate limit refusal: `rateLimitExceeded` with a `status`;"
               " `userRateLimitExceeded` without; or 429 in either shape."),
        Switch("unauthorized_form", "7.1", ("front-end", "backend"),
               "Shape of a 401: with `status`, or as Calendar's own refusals."),
        Switch("max_batch", "7.5", ("50", "1000"), "How many calls one batch may hold."),
        Switch("rate_limit_retry_after", "7.3", ("off", "on"), "Do refusals carry Retry-After?"),
        Switch("description_html", "8", ("kept", "stripped"),
               "Are tags in a description kept byte for byte?"),
    )
}  # fmt: skip


class UnknownSwitch(ValueError):
    """There is no such switch or setting."""


class SwitchBoard:
    """The present settings; they are part of the world's state."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __getitem__(self, name: str) -> str:
        set_to = self.world.settings.get(f"switch:{name}")
        return set_to.value if set_to else SWITCHES[name].settings[0]

    def set(self, name: str, value: str) -> None:
        """Set one switch."""
        switch = SWITCHES.get(name)
        if switch is None:
            raise UnknownSwitch(f"There is no switch {name!r}.")
        if value not in switch.settings:
            raise UnknownSwitch(f"{name} can be {', '.join(switch.settings)}; not {value!r}.")
        self.world.save(Setting(name=f"switch:{name}", value=value))

    def all(self) -> dict[str, str]:
        """Every switch as it stands."""
        return {name: self[name] for name in SWITCHES}
