"""The public price book: releases of genai-prices' list prices, each from a day on, offline.

Which model a name means is found as the library finds it. A provider that a release does not know
is never guessed from the model's name. A release holds from its day on instead of all that were
taken in before it. A name that it does not know has the price of the release before that does, else
of the next that does, so that neither a new model nor one that is no longer listed goes unpriced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Final

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelInfo, Provider

from data.prices.provider_names import listed_name, provider_of, without_gateway
from data.prices.quoted import quoted
from data.prices.rates import STANDARD, Prices

INSTALLED: Final = f"genai-prices {version('genai-prices')}"
BEGINNING: Final = -(2**63)
MODELS: Final = 8_192
# Names of OpenTelemetry and LiteLLM for providers that the book knows under another.
ALIASES: Final = {
    "x_ai": "x-ai",
    "azure_ai": "azure",
    "github": "github-copilot",
    "z.ai": "zai",
    "gcp.gen_ai": "google",
    "azure.ai.inference": "azure",
    "fireworks_ai": "fireworks",
    "together_ai": "together",
}


FAST: Final = "fast"
FAST_NAME: Final = f"-{FAST}"
NOTHING: Final = Prices({STANDARD: ((None, None),)})


@dataclass
class Model(ModelInfo):
    """A model by the names that mean it, with what it costs in our terms."""

    schedules: Prices = NOTHING


@dataclass(frozen=True, eq=False)
class Release:
    """What one release says: the models (`Model`) of each provider, in the library's order."""

    name: str
    providers: list[Provider]

    def prices(self, provider: str | None, model: str) -> Prices | None:
        """Everything it says of a model; a `provider/model` name is also tried as its two parts,
        one that ends with `-fast` as the fast tier of its model. None: it knows no such provider
        or model."""
        found = self._named(provider, model)
        if found is None and model.endswith(FAST_NAME):
            usual = self._named(provider, model.removesuffix(FAST_NAME))
            return _fast(usual) if usual else None
        return found

    def _named(self, provider: str | None, model: str) -> Prices | None:
        provider, model = provider_of(provider, model), without_gateway(model)
        prefix, slash, bare = model.partition("/")
        if provider is None:
            found = self._entry(prefix, bare) if slash else self._entry(None, model)
        else:
            found = self._entry(provider, model)
            found = self._entry(provider, bare) if found is None and slash else found
        return found

    def models(self) -> dict[tuple[str, str], Prices]:
        """Everything it says, by `(provider, model)`."""
        return {
            (one.id, model.id): model.schedules
            for one in self.providers
            for model in one.models
            if isinstance(model, Model)
        }

    def sold(self, model: str) -> bool:
        """Whether any provider has a model of this name."""
        return any(one.find_model(listed_name(model)) for one in self.providers)

    def _entry(self, provider: str | None, model: str) -> Prices | None:
        known = ALIASES.get(provider.lower(), provider) if provider else provider
        names = dict.fromkeys((model, listed_name(model)))
        return next(filter(None, (self._found(known, name) for name in names)), None)

    def _found(self, provider: str | None, model: str) -> Prices | None:
        # A snapshot remembers every name it was asked for, so each is asked one.
        book = DataSnapshot(self.providers, from_auto_update=False)
        try:
            seller, found = book.find_provider_model(model, None, provider, None)
        except (LookupError, ValueError):
            return None
        if not isinstance(found, Model):
            return None
        own = any(found is one for one in seller.models)
        # Of another provider's list: its tiers are not this one's.
        prices = found.schedules if own else Prices({STANDARD: found.schedules.standard})
        # The library finds a model by how its name begins.
        return _fast(prices) if model.endswith(FAST_NAME) and FAST not in found.id else prices


def _fast(prices: Prices) -> Prices:
    """What a model costs whose name says that it is another's fast tier; never the usual price."""
    schedule = prices.by_tier.get(FAST, ((None, None),))
    return Prices({STANDARD: schedule, FAST: schedule})


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` (µs UTC) on, a model's price is what `release` says: `prices`."""

    start: int
    release: Release
    prices: Prices


class PublicBook:
    """Releases in the order they were taken in, with the instants (µs UTC) from which they hold;
    never empty: of those that have begun the last holds. Safe to share between threads."""

    def __init__(self, releases: Iterable[tuple[int, Release]]) -> None:
        self.releases = tuple(releases)
        self.plan = lru_cache(MODELS)(self._plan)

    def at(self, ts: int) -> Release:
        """The release that holds at an instant."""
        begun = [release for since, release in self.releases if since <= ts]
        return begun[-1] if begun else self.releases[0][1]

    def sold(self, model: str) -> bool:
        """Whether any release has a model of this name, whoever sells it."""
        return any(release.sold(model) for _, release in self.releases)

    def stretch(self, provider: str | None, model: str, ts: int) -> Stretch | None:
        """Which release prices a model at an instant; None: no release knows it."""
        begun = [one for one in self.plan(provider, model) if one.start <= ts]
        return begun[-1] if begun else None

    def _plan(self, provider: str | None, model: str) -> tuple[Stretch, ...]:
        """What holds of a model, earliest first, from the beginning of time; empty if nothing."""
        found: dict[int, Stretch] = {}
        for since, release in self.releases:
            prices = release.prices(provider, model)
            if prices is not None:
                start = since if found else BEGINNING
                found = {at: one for at, one in found.items() if at < start}
                found[start] = Stretch(start, release, prices)
        return tuple(found.values())


def release_of(name: str, providers: Iterable[Provider]) -> Release:
    """The library's own objects as a release."""
    return Release(
        name,
        [
            replace(
                one, models=[Model(m.id, m.match, schedules=quoted(m, one.id)) for m in one.models]
            )
            for one in providers
        ],
    )


@cache
def installed() -> PublicBook:
    """The installed release alone."""
    return PublicBook([(BEGINNING, release_of(INSTALLED, get_snapshot().providers))])
