"""Say which certificate requests the client is to make."""

from certwright.application.request_parties import get_request, plan_request
from certwright.application.world import World
from certwright.domain.identities import Caller
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission


def plan_certificate_requests(request_id: RequestId, *, by: Caller, world: World) -> tuple[CertificateTemplate, ...]:
    """Return the certificate templates whose keys the client makes, in the order in which `enroll` wants the requests.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request.
    """
    with world.store.reading() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        return plan_request(seen, session, world).client_generated
