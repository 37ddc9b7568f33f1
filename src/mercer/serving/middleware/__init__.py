"""What every request passes through, outermost first; a file each.

request_id.py      gives the request its id
security.py        response headers that browsers obey
measure.py         counts and times
faults.py          turns faults into the one error body
body_limit.py      refuses huge bodies
authentication.py  default deny: a key for everything but the public paths
"""

from mercer.serving.middleware.authentication import Authentication
from mercer.serving.middleware.body_limit import BodyLimit
from mercer.serving.middleware.faults import Faults
from mercer.serving.middleware.measure import Measure
from mercer.serving.middleware.request_id import RequestId
from mercer.serving.middleware.security import SecurityHeaders

__all__ = ["Authentication", "BodyLimit", "Faults", "Measure", "RequestId", "SecurityHeaders"]
