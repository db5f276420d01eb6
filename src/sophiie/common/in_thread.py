"""Database work that asynchronous code calls.

Django's ORM is synchronous. A call runs in a worker thread on a connection from the pool and gives
it back at once, so no connection is held during a network call.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections
from django.utils import translation

P = ParamSpec("P")
R = TypeVar("R")

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="database")


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `function` in a thread and returns or raises what it does.

    Texts come out in the caller's language, which Django keeps for each thread.
    """
    language = translation.get_language()

    def call() -> R:
        try:
            if language in (None, settings.LANGUAGE_CODE):
                return function(*args, **kwargs)
            with translation.override(language):
                return function(*args, **kwargs)
        finally:
            connections.close_all()

    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: context.run(call))
