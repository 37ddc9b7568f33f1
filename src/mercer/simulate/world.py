"""The world of the shop: everything drawn, before it becomes tables."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mercer.simulate.activity import Visits, draw_visits
from mercer.simulate.baskets import Baskets, empty_baskets, fill_baskets
from mercer.simulate.catalogue import Catalogue, make_catalogue
from mercer.simulate.consents import Consents, draw_consents
from mercer.simulate.events import Events, assemble, order_lines
from mercer.simulate.exposures import Exposures, draw_exposures
from mercer.simulate.judgments import Judgments, judge
from mercer.simulate.kinds import assortment
from mercer.simulate.options import ShopOptions, stream
from mercer.simulate.payments import Payments, draw_payments
from mercer.simulate.people import People, make_people
from mercer.simulate.personal import Typed, type_into
from mercer.simulate.searches import Searches, Wanted, draw_searches, draw_wanted
from mercer.simulate.season import Calendar, Ints
from mercer.simulate.tastes import blocks
from mercer.simulate.visits import Browsing, draw_browsing, draw_channels, wall_time


@dataclass(frozen=True)
class World:
    """Everything that was drawn. starts: when each visit begins; paid: when each order is paid, microseconds."""

    options: ShopOptions
    calendar: Calendar
    catalogue: Catalogue
    people: People
    visits: Visits
    starts: Ints
    channel: Ints
    paid: Ints
    baskets: Baskets
    exposures: Exposures
    searches: Searches
    typed: tuple[Typed, ...]
    events: Events
    consents: Consents
    judgments: Judgments
    payments: Payments


def draw_world(options: ShopOptions) -> World:
    """Draw everything, each part from a stream of its own."""
    seed = options.seed
    calendar = Calendar.ending(options.last_day, options.months)
    kinds = assortment().part(options.items)
    catalogue = make_catalogue(kinds, options.items, calendar, stream(seed, "catalogue"))
    people = make_people(options.users, catalogue, calendar, stream(seed, "people"))
    visits = draw_visits(people.rates, calendar, stream(seed, "visits"))
    starts = wall_time(visits, calendar)
    channel = draw_channels(visits, len(people), stream(seed, "channels"))
    baskets = empty_baskets(people, visits, stream(seed, "basket sizes"))
    shown, looked, wanted = [], [], []
    for block in blocks(people, catalogue):
        rng = stream(seed, "block", block.begin)
        fill_baskets(baskets, block, people, catalogue, visits, calendar, rng)
        looked.append(draw_browsing(block, visits, channel, catalogue, calendar, rng))
        shown.append(draw_exposures(block, people, visits, channel, baskets, catalogue, calendar, rng))
        wanted.append(draw_wanted(block, visits, channel, calendar, rng))
    exposures, browsing = Exposures.join(shown), Browsing.join(looked)
    paid = starts[baskets.visit] + stream(seed, "paid").integers(240, 840, len(baskets.visit)) * 1_000_000
    row, slot = np.nonzero(exposures.bought)
    rng = stream(seed, "events")
    lines = order_lines(baskets, exposures.order[row], exposures.shown[row, slot], catalogue, rng)
    events = assemble(visits, starts, paid, channel, baskets, lines, browsing, catalogue, calendar, rng)
    searches = draw_searches(Wanted.join(wanted), visits, people, catalogue, stream(seed, "searches"))
    typed: list[Typed] = []
    if options.faults and searches.text:
        text, typed = type_into(searches.text, stream(seed, "typed"))
        searches = replace(searches, text=text)
    return World(
        options=options,
        calendar=calendar,
        catalogue=catalogue,
        people=people,
        visits=visits,
        starts=starts,
        channel=channel,
        paid=paid,
        baskets=baskets,
        exposures=exposures,
        searches=searches,
        typed=tuple(typed),
        events=events,
        consents=draw_consents(people, calendar, stream(seed, "consents")),
        judgments=judge(catalogue, options.judged_queries, stream(seed, "judgments")),
        payments=draw_payments(events, len(people), calendar, stream(seed, "payments")),
    )
