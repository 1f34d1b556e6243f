"""The real folder, parsed once; tests change a copy of one file in memory and see what is said of it."""

import copy
from dataclasses import replace

import pytest

from labinterp import knowledge
from labinterp.knowledge import build, checks, reader, schema, walking


@pytest.fixture(scope="session")
def documents():
    return reader.documents(knowledge.FOLDER)


@pytest.fixture(scope="session")
def schemas():
    return schema.Schemas(knowledge.FOLDER)


@pytest.fixture
def changed(documents):
    """All documents, with one of them changed: `changed("map.yaml", lambda data: …)`."""

    def change(name, how):
        def one(document):
            if document.name != name:
                return document
            data = copy.deepcopy(document.data)
            how(data)
            return replace(document, data=data)

        return tuple(map(one, documents))

    return change


@pytest.fixture
def complaints(changed):
    """What the cross-checks say once a file has been changed, as `file:line: message`."""

    def complain(name, how):
        documents = changed(name, how)
        shelf = walking.Shelf(documents, build.knowledge(documents, "digest"))
        return [f"{place.where}: {place.message}" for place in checks.faults(shelf)]

    return complain


@pytest.fixture
def misfits(changed, schemas):
    """What a file's schema says once it has been changed."""

    def misfit(name, how):
        document = next(one for one in changed(name, how) if one.name == name)
        return [f"{place.where}: {place.message}" for place in schemas.faults(document)]

    return misfit
