# OpenCV's own stubs give every array back as "integer or floating", so that each call would need a
# cast to its real dtype. Our functions state the dtypes at their edges instead.
from typing import Any

def __getattr__(name: str) -> Any: ...
