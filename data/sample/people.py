"""The people of the sample organisation, and the three of them whom a demo signs in as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Final

from data.sample.cast import NEWCOMER


@dataclass(frozen=True, slots=True)
class Employee:
    """`projects` begin with the one at home; `weight` is how often they do something."""

    id: str
    name: str
    zone: str
    weight: float
    projects: tuple[str, ...]


# In each zone the busiest first; the zones take turns in the ranking of all.
_NAMES: Final = {
    "Europe/Berlin": """
        ana.lopes Ana Lopes; jonas.weber Jonas Weber; zofia.nowak Zofia Nowak;
        matteo.ricci Matteo Ricci; elif.demir Elif Demir; niamh.obrien Niamh O’Brien;
        lukas.novak Lukáš Novák; sofia.papadaki Sofia Papadaki; emre.kaya Emre Kaya;
        camille.moreau Camille Moreau; henrik.dahl Henrik Dahl; ines.carvalho Inês Carvalho;
        pavel.horak Pavel Horák; greta.lindqvist Greta Lindqvist; oscar.nilsson Oscar Nilsson;
        marta.kowalska Marta Kowalska; thijs.devries Thijs de Vries; irina.popescu Irina Popescu;
        aleksi.virtanen Aleksi Virtanen; clara.fischer Clara Fischer; hugo.lefevre Hugo Lefèvre;
        bence.szabo Bence Szabó; lea.zimmermann Lea Zimmermann; pablo.ortega Pablo Ortega""",
    "America/New_York": """
        maya.johnson Maya Johnson; diego.ramirez Diego Ramírez; aaliyah.brooks Aaliyah Brooks;
        ethan.park Ethan Park; valentina.rojas Valentina Rojas; noah.bennett Noah Bennett;
        luciana.souza Luciana Souza; caleb.turner Caleb Turner; isabela.costa Isabela Costa;
        tariq.washington Tariq Washington; hannah.cohen Hannah Cohen; mateo.vargas Mateo Vargas;
        olivia.tremblay Olivia Tremblay; jamal.carter Jamal Carter; grace.nguyen Grace Nguyen;
        rafael.mendes Rafael Mendes; emily.sato Emily Sato; andre.baptiste André Baptiste""",
    "Asia/Kolkata": """
        priya.raman Priya Raman; arjun.mehta Arjun Mehta; wei.chen Wei Chen;
        fatima.rahman Fatima Rahman; kavya.iyer Kavya Iyer; minh.tran Minh Trần;
        rohan.desai Rohan Desai; yuki.tanaka Yuki Tanaka; omar.farooq Omar Farooq;
        ananya.ghosh Ananya Ghosh; siti.aminah Siti Aminah; vikram.singh Vikram Singh;
        jisoo.kim Jisoo Kim; nadia.hussain Nadia Hussain; deepak.nair Deepak Nair;
        mei.lin Mei Lin; sanjay.patel Sanjay Patel; amara.perera Amara Perera""",
}
_HOMES: Final = (
    *("checkout", "helpdesk", "lakehouse", "mobile", "contracts", "marketing", "infra"),
    *("checkout", "research", "search", "helpdesk", "people", "lakehouse", "finance"),
)


def _person(rank: int, zone: str, row: str) -> Employee:
    key, name = row.split(maxsplit=1)
    turns = (rank, rank * 5 + 3, rank * 11 + 6 if rank % 2 else rank)
    projects = dict.fromkeys(_HOMES[turn % len(_HOMES)] for turn in turns)
    joined = (NEWCOMER,) if rank % 4 == 1 else ()
    return Employee(key, name, zone, (rank + 3) ** -0.9, (*projects, *joined))


def _people() -> tuple[Employee, ...]:
    zones = [[(zone, row) for row in text.split(";")] for zone, text in _NAMES.items()]
    ranking = [row for row in chain(*zip_longest(*zones)) if row]
    return tuple(_person(rank, *row) for rank, row in enumerate(ranking))


PEOPLE: Final = _people()
_BY_ID: Final = {person.id: person for person in PEOPLE}


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to try the product as: the claims are what their token would say."""

    key: str
    name: str
    claims: Mapping[str, Any]
    description: str


def _persona(key: str, sub: str, description: str, *administers: str) -> Persona:
    person = _BY_ID[sub]
    claims = {
        "sub": person.id,
        "name": person.name,
        "email": f"{person.id}@example.com",
        "isAdmin": key == "platform-admin",
        "applications": list(person.projects),
        "applications_admin": list(administers),
    }
    return Persona(key, person.name, claims, description)


PERSONAS: Final = (
    _persona("platform-admin", "aaliyah.brooks", "Platform admin: sees everybody, everywhere."),
    _persona(
        "project-admin",
        "maya.johnson",
        "Project admin: sees everybody in Customer Support and Market Research, herself elsewhere.",
        "helpdesk",
        "research",
    ),
    _persona("user", "jonas.weber", "User: sees his own activity in every project, nobody else's."),
)
