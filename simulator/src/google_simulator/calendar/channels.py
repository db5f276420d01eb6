"""Push channels: watch and stop (facts 5). Delivery is the business of `push`."""

from __future__ import annotations

import hashlib
import ipaddress
from urllib.parse import quote, urlsplit

from google_simulator import errors
from google_simulator.calendar.call import CalendarCall
from google_simulator.http.answer import Answer
from google_simulator.model import Channel, Json

DEFAULT_SECONDS = 604_800
API_ROOT = "https://www.googleapis.com/calendar/v3"


def watch_events(call: CalendarCall) -> Answer:
    """Open a channel on a calendar's events."""
    calendar = call.calendar
    if calendar.generated:
        raise errors.BackendError(
            400,
            "pushNotSupportedForRequestedResource",
            "Push notifications are not supported by this resource.",
            domain="calendar",
        )
    channel_id, address = _channel_id(call), _address(call)
    channel = Channel(
        id=channel_id,
        resource_id=hashlib.sha256(
            f"{call.client.project} {call.account.email} {calendar.id}".encode()
        ).hexdigest()[:27],
        resource_uri=f"{API_ROOT}/calendars/{quote(calendar.id)}/events?alt=json",
        client_id=call.client.id,
        project=call.client.project,
        account=call.account.email,
        calendar_id=calendar.id,
        address=address,
        token=_token(call),
        expires_at=_expiry(call),
    )
    call.simulator.world.save(channel)
    call.simulator.world.new_channels.append(channel)
    return Answer(200, _rendered(channel))


def stop(call: CalendarCall) -> Answer:
    """Only the same user through the same client may stop a channel."""
    channel_id = str(call.body.get("id", ""))
    channel = call.simulator.world.channels.get(f"{call.client.project}\n{channel_id}")
    again_is_fine = call.simulator.switches["channels_stop_twice"] == "204"
    if channel is not None and channel.stopped and again_is_fine:
        return Answer(204)
    if (
        channel is None
        or channel.stopped
        or channel.resource_id != call.body.get("resourceId")
        or channel.account != call.account.email
        or channel.client_id != call.client.id
    ):
        raise errors.BackendError(
            404,
            "notFound",
            f"Channel '{channel_id}' not found for project '{call.client.project}'",
        )
    channel.stopped = True
    call.simulator.world.save(channel)
    return Answer(204)


def _channel_id(call: CalendarCall) -> str:
    channel_id = call.body.get("id")
    if not isinstance(channel_id, str) or not 1 <= len(channel_id) <= 64:
        raise errors.BackendError(400, "required" if not channel_id else "invalid", "channel id")
    if f"{call.client.project}\n{channel_id}" in call.simulator.world.channels:
        raise errors.BackendError(
            400, "channelIdNotUnique", f"Channel id {channel_id} not unique", domain="push"
        )
    if call.body.get("type") not in ("web_hook", "webhook"):
        raise errors.invalid("Unknown channel type.")
    return channel_id


def _address(call: CalendarCall) -> str:
    address = call.body.get("address")
    if not isinstance(address, str) or not _host(address):
        raise errors.BackendError(
            int(call.simulator.switches["bad_address_status"]),
            "push.webhookUrlUnauthorized",
            f"Unauthorized WebHook callback channel: {address}",
        )
    rule = call.simulator.switches["plain_http_push"]
    plain_is_fine = rule == "allowed" or (rule == "loopback" and _is_loopback(address))
    if not address.startswith("https://") and not plain_is_fine:
        raise errors.BackendError(
            400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}"
        )
    return address


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(address: str) -> bool:
    host = _host(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(call: CalendarCall) -> str | None:
    token = call.body.get("token")
    if token is not None and (not isinstance(token, str) or len(token) > 256):
        raise errors.invalid("Invalid channel token.")
    return token


def _expiry(call: CalendarCall) -> float:
    """The earlier of what the client asks for and Google's own limit."""
    now, seconds = call.simulator.clock.now(), float(DEFAULT_SECONDS)
    params = call.body.get("params") or {}
    if str(params.get("ttl", "")).isdecimal():
        seconds = min(seconds, float(params["ttl"]))
    expiration = call.body.get("expiration")
    if expiration is not None and str(expiration).isdecimal():
        if int(expiration) / 1000 <= now:
            raise errors.invalid("Invalid channel expiration.")
        seconds = min(seconds, int(expiration) / 1000 - now)
    return now + seconds


def _rendered(channel: Channel) -> Json:
    body: Json = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": str(int(channel.expires_at * 1000)),
    }
    return body | ({"token": channel.token} if channel.token else {})
