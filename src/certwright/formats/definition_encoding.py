"""From a profile template to the text of a world file that `parse_world` reads back as the same template."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum, IntEnum
from typing import Any

from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import CertificateTemplate, KeySpecification, ProfileTemplate
from certwright.domain.public_keys import KeyAlgorithm
from certwright.formats.quantities import encode_duration

_PARTIES = frozenset({"initiators", "approvers", "enrollment_agents"})


def encode_template(template: ProfileTemplate, names: Mapping[Sid, str]) -> str:
    """Return TOML with *template* and its certificate templates, always the same for the same template.

    Shape: what is the default is left out, and so are the version, which the store counts, and rights, which are no part of
    a template. Whoever *names* does not name is written as a SID. Source: the format is ours.
    """
    lines: list[str] = []
    for each in dict.fromkeys(template.certificate_templates):
        lines += ["[[certificate_templates]]", *_list_certificate_lines(each), ""]
    lines += ["[[profile_templates]]", *_list_profile_lines(template)]
    for kind, policy in sorted(template.policies.items()):
        lines += ["", f"[profile_templates.policies.{_spell(kind)}]", *_list_policy_lines(policy, names)]
    if template.smartcard is not None:
        lines += ["", "[profile_templates.smartcard]", *_list_lines(_list_changes(template.smartcard))]
    return "\n".join(lines) + "\n"


def _list_certificate_lines(template: CertificateTemplate) -> list[str]:
    changes = _list_changes(template)
    if template.key.algorithm is not KeyAlgorithm.RSA:
        # A file that leaves the size out means the algorithm's smallest, not the default of the domain.
        changes["key"] = {**_list_changes(template.key, KeySpecification()), "bits": template.key.bits}
    return _list_lines(changes)


def _list_profile_lines(template: ProfileTemplate) -> list[str]:
    changes = _list_changes(template)
    for elsewhere in ("version", "policies", "smartcard"):
        changes.pop(elsewhere, None)
    changes["id"] = str(template.id)
    changes["certificate_templates"] = tuple(each.common_name for each in template.certificate_templates)
    return [*_list_lines(changes), *([] if template.policies else ["policies = {}"])]


def _list_policy_lines(policy: Policy, names: Mapping[Sid, str]) -> list[str]:
    changes = _list_changes(policy)
    known = {**names, EVERYONE: "everyone"}
    for party in _PARTIES & changes.keys():
        changes[party] = tuple(sorted(known.get(sid, sid) for sid in changes[party]))
    return _list_lines(changes)


def _list_changes(value: Any, base: Any = None) -> dict[str, Any]:
    """Return the fields of *value* that differ from *base*, or from their defaults; those without a default always."""
    found: dict[str, Any] = {}
    for each in fields(value):
        own, default = getattr(value, each.name), _find_default(each) if base is None else getattr(base, each.name)
        if own != default:
            is_nested = is_dataclass(own) and default is not MISSING and default is not None
            found[each.name] = _list_changes(own, default) if is_nested else own
    return found


def _find_default(described: Field[Any]) -> Any:
    return described.default if described.default_factory is MISSING else described.default_factory()


def _list_lines(changes: Mapping[str, Any]) -> list[str]:
    return [line for key, value in changes.items() for line in _list_lines_of(key, value)]


def _list_lines_of(key: str, value: Any) -> Iterator[str]:
    """Yield one line, or for a list of tables one for each of them, where a comment has room."""
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        yield f"{key} = ["
        yield from (f"  {_encode(each)}," for each in value)
        yield "]"
    else:
        yield f"{key} = {_encode(value)}"


def _encode(value: Any) -> str:
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(map(_encode, value)))}]"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_encode, value))}]"
    if is_dataclass(value):
        return _encode(_list_changes(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_encode(each)}" for key, each in value.items()) + " }"
    return _encode_simple(value)


def _encode_simple(value: Any) -> str:
    match value:
        case IntEnum():
            return _quote(_spell(value))
        case Enum():
            return _quote(str(value.value))
        case timedelta():
            return _quote(encode_duration(value))
        case str():
            return _quote(value)
    # What is left, a number or a boolean, is written in TOML as in JSON.
    return json.dumps(value)


def _spell(member: IntEnum) -> str:
    return member.name.lower().replace("_", "-")


def _quote(text: str) -> str:
    """Return a basic string of TOML: JSON's escapes, and one more character that has to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
