"""What requests do to profiles and to their certificates, with the events that tell of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from certwright.application.card_changes import move_card
from certwright.application.card_contents import list_profiles_on
from certwright.application.world import World
from certwright.domain.certificates import Certificate, format_serial_number
from certwright.domain.delayed_revocations import DelayedRevocation
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import NO_CHOICES, Choices
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.requests import Request, RequestFlags
from certwright.domain.revocation import RevocationReason, RevocationSettings

NOTHING_PUBLISHED = RevocationSettings()


@dataclass
class Changes:
    """The changes of one request, made in one transaction; *events* tell of each."""

    request: Request
    by: Caller
    at: datetime
    session: Session
    events: list[Event] = field(default_factory=list)

    def set_profile(self, profile: Profile, changed: Profile) -> None:
        """Store *changed* in place of *profile*; the card that it is on follows. Errors: ChangedMeanwhile."""
        self.session.profiles.change(changed, from_status=profile.status)
        self._tell(
            EventType.PROFILE_CHANGED,
            profile=str(profile.id),
            status=f"{profile.status.name} to {changed.status.name}",
            flags=f"{int(profile.flags)} to {int(changed.flags)}",
            version=str(changed.template_version),
        )
        if RequestFlags.SMARTCARD in self.request.flags:
            self.events += move_card(self.request, changed, by=self.by, at=self.at, session=self.session)

    def revoke(
        self,
        certificates: Iterable[Certificate],
        reason: RevocationReason,
        delay: timedelta = timedelta(),
        *,
        settings: RevocationSettings = NOTHING_PUBLISHED,
    ) -> None:
        """Revoke each that is not revoked yet for good, from *delay* after now on; a worker tells when that has come."""
        effective = self.at + delay
        for each in certificates:
            if _is_final(each, effective):
                continue
            # What is on hold does not become good again for the time of the delay.
            since = effective if each.revoked_at is None else min(effective, each.revoked_at)
            self.session.certificates.revoke(each.serial, reason, since)
            self._tell_certificate(EventType.CERTIFICATE_REVOKED, each, reason=reason.name, effective=since.isoformat())
            if since > self.at:
                self.session.delayed_revocations.add(
                    DelayedRevocation(
                        serial=each.serial, request_id=self.request.id, effective=since, lists=_name_lists(settings)
                    )
                )

    def hold(self, certificates: Iterable[Certificate]) -> None:
        """Put each on hold that is not revoked."""
        for each in certificates:
            if each.revocation_reason is None:
                self.session.certificates.revoke(each.serial, RevocationReason.CERTIFICATE_HOLD, self.at)
                self._tell_certificate(EventType.CERTIFICATE_HELD, each)

    def release(self, certificates: Iterable[Certificate]) -> None:
        """End the hold of each that is on hold."""
        for each in certificates:
            if each.revocation_reason is RevocationReason.CERTIFICATE_HOLD:
                self.session.certificates.release(each.serial)
                self._tell_certificate(EventType.CERTIFICATE_REINSTATED, each)

    def publish(self, settings: RevocationSettings) -> None:
        """Record which revocation lists are wanted now."""
        lists = _name_lists(settings)
        if lists:
            self._tell(EventType.CRL_REQUESTED, lists=lists)

    def end_profile(
        self,
        profile: Profile,
        settings: RevocationSettings,
        *,
        choices: Choices = NO_CHOICES,
        spared: frozenset[int] = frozenset(),
    ) -> None:
        """Do to a profile and its certificates what *settings* say, all but the *spared* serial numbers."""
        if settings.revoke_old_certificates:
            reason, delay = choose_revocation(settings, choices)
            held = [each for each in self.list_in_use(profile) if each.serial not in spared]
            self.revoke(held, reason, delay, settings=settings)
        if settings.disable_old_profile and profile.status in (ProfileStatus.ACTIVE, ProfileStatus.SUSPENDED):
            self.set_profile(profile, replace(profile, status=ProfileStatus.DISABLED))

    def list_in_use(self, profile: Profile) -> list[Certificate]:
        """Return what the profile holds, copies and those about to be signed included, key history left out."""
        return [each for each in self.list_all_held(profile) if not each.is_key_history]

    def list_all_held(self, profile: Profile) -> list[Certificate]:
        """Return what the profile holds, copies, key history and those about to be signed included.

        What was recovered for somebody else is left out: it is its owner's, and good for as long as the owner uses it.
        """
        if ProfileFlags.KEY_ESCROW in profile.flags:
            return []
        held = self.session.certificates.list_of_profile(profile.id)
        return [*held, *self.session.certificates.list_unsigned_of_profile(profile.id)]

    def list_beside(self, profile: Profile) -> list[Profile]:
        """Return the other profiles on the card of the one that the request is about; see `list_profiles_on`."""
        card_id = self.request.old_smartcard_id
        if card_id is None:
            return []
        ours = (profile.id, self.request.profile_id)
        return [each for each in list_profiles_on(card_id, self.session) if each.id not in ours]

    def _tell_certificate(self, event_type: EventType, certificate: Certificate, **details: str) -> None:
        self._tell(event_type, serial=format_serial_number(certificate.serial), **details)

    def _tell(self, event_type: EventType, **details: str) -> None:
        told = tell(event_type, self.by, self.at, request_id=self.request.id, subject_id=self.request.target_id, **details)
        self.events.append(told)


def make_profile(request: Request, by: Caller, profile_id: ProfileId | None, world: World) -> Profile:
    """Return the new profile of *request*, not stored yet.

    Shape: what takes the place of another names it as parent; a duplicate names its original as primary. Keys that are
    recovered for somebody else are held by who executes the request.
    Errors: RuntimeError, a bug, for a request that makes none.
    """
    flags, workflow = request.workflow.new_flags, request.workflow
    if flags is None:
        raise RuntimeError("the request makes no profile")
    return Profile(
        id=profile_id or ProfileId(world.make_identifier()),
        status=ProfileStatus.NEW,
        flags=flags,
        owner_id=by.user.id if workflow.is_for_somebody_else else request.target_id,
        template_id=request.template_id,
        template_version=request.template_version,
        parent_id=request.old_profile_id if workflow.supersedes or workflow.is_for_somebody_else else None,
        primary_id=request.old_profile_id if flags is ProfileFlags.DUPLICATE else None,
    )


def choose_revocation(settings: RevocationSettings, choices: Choices) -> tuple[RevocationReason, timedelta]:
    """Return reason and delay: the initiator's, which the policy let him choose, or the policy's."""
    reason = settings.reason if choices.revocation_reason is None else choices.revocation_reason
    return reason, settings.delay if choices.revocation_delay is None else choices.revocation_delay


def _name_lists(settings: RevocationSettings) -> str:
    wanted = {"base": settings.publish_base_crl, "delta": settings.publish_delta_crl}
    return " ".join(name for name, is_wanted in wanted.items() if is_wanted)


def _is_final(certificate: Certificate, effective: datetime) -> bool:
    revoked_at, reason = certificate.revoked_at, certificate.revocation_reason
    is_held = reason is RevocationReason.CERTIFICATE_HOLD
    return revoked_at is not None and not is_held and revoked_at <= effective
