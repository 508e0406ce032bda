"""CITATION.cff, the one source, as codemeta.json, codecheck.yml and Croissant.

What only a person can supply (DOI, ORCID, certificate) says UNASSIGNED until CITATION.cff has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferbook.core.files import sha256
from ferbook.paper import citation
from ferbook.paper.chapters import NOTEBOOKS

UNASSIGNED = "not assigned yet"
IMAGES = "results/test_images.csv.gz"
KAGGLE = "https://www.kaggle.com/datasets/msambare/fer2013"
MAX_FILE_BYTES = 100_000_000
# Column -> type in schema.org and meaning, for Croissant.
_COLUMNS = {
    "file": ("Text", "Name in the Kaggle archive: folder, label, official part, number."),
    "brightness": ("Float", "Mean gray value of the image, from 0 to 255."),
    "sharpness": ("Float", "Variance of the Laplacian of the image."),
    "sha256": ("Text", "SHA-256 of the 48 x 48 gray values of the decoded image."),
    "leaked": ("Boolean", "Whether the training folder holds an image of the same gray values."),
}
# Croissant's own words; its context may not leave any out.
_TERMS = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileObject fileProperty "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet "
    "references regex repeated replace samplingRate separator source subField transform"
).split()

Json = dict[str, Any]


def codemeta(cff: Mapping[str, Any], tree: str, date: str) -> Json:
    """CodeMeta 3.0. `tree` is the SWHID of the source, `date` that of its commit (ISO 8601)."""
    address = citation.repository(cff)
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        **about(cff, tree),
        "author": authors(cff),
        "license": licence(cff),
        "programmingLanguage": "Python",
        "dateModified": date,
        "referencePublication": [_publication(each) for each in cff["references"]],
        **({"codeRepository": address} if address else {}),
    }


def codecheck(cff: Mapping[str, Any]) -> Json:
    """The manifest that codecheck.org.uk/spec/config/1.0 asks of authors."""
    orcids = [author.get("orcid", UNASSIGNED) for author in cff["authors"]]
    return {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {
            "title": cff["title"],
            "authors": [
                {"name": name, "ORCID": orcid}
                for name, orcid in zip(citation.names(cff), orcids, strict=True)
            ],
            "reference": _doi(cff),
        },
        "manifest": [
            {"file": f"book/executed/{name}.ipynb", "comment": f"notebooks/{name}.ipynb, executed"}
            for name in NOTEBOOKS
        ],
        "codechecker": [{"name": UNASSIGNED, "ORCID": UNASSIGNED}],
        "repository": citation.repository(cff) or UNASSIGNED,
        "report": UNASSIGNED,
        "certificate": UNASSIGNED,
    }


def croissant(cff: Mapping[str, Any], project: Path, date: str) -> Json:
    """Croissant 1.1 of the table of test images: names, hashes, leaks; no image."""
    return {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": "fer2013-test-images",
        "description": "Hash, brightness and sharpness of each test image of FER-2013, and whether "
        "it leaks into the training folder. The images show people and are not part of it.",
        "url": citation.repository(cff) or KAGGLE,
        "isBasedOn": KAGGLE,
        "license": licence(cff),
        "creator": authors(cff),
        "datePublished": date,
        "version": cff["version"],
        "citeAs": citation.bibtex(cff),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": IMAGES,
                "name": IMAGES,
                "contentUrl": IMAGES,
                "encodingFormat": "text/csv",
                "sha256": sha256(project / IMAGES, MAX_FILE_BYTES),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "images",
                "name": "images",
                "key": {"@id": "images/file"},
                "field": [_field(name, *about) for name, about in _COLUMNS.items()],
            }
        ],
    }


def about(cff: Mapping[str, Any], tree: str) -> Json:
    """What every format calls by the same name."""
    return {
        "name": cff["title"],
        "description": cff["abstract"],
        "version": cff["version"],
        "keywords": cff["keywords"],
        "identifier": [_identifier("SWHID", tree), _identifier("DOI", _doi(cff))],
    }


def authors(cff: Mapping[str, Any]) -> list[Json]:
    """People and organizations of schema.org; an ORCID is a person's `@id`."""
    return [_author(author, name) for author, name in
            zip(cff["authors"], citation.names(cff), strict=True)]  # fmt: skip


def licence(cff: Mapping[str, Any]) -> str:
    """The address of the license in SPDX's list."""
    return f"https://spdx.org/licenses/{cff['license']}"


def _author(author: Mapping[str, str], name: str) -> Json:
    kind = "Person" if "family-names" in author else "Organization"
    if "orcid" in author:
        return {"@type": kind, "@id": author["orcid"], "name": name}
    return {"@type": kind, "name": name, "identifier": _identifier("ORCID", UNASSIGNED)}


def _publication(reference: Mapping[str, Any]) -> Json:
    return {
        "@type": "ScholarlyArticle",
        "name": reference["title"],
        "author": [{"@type": "Person", "name": name} for name in citation.names(reference)],
        "datePublished": str(reference["year"]),
        "identifier": [each["value"] for each in reference["identifiers"]],
    }


def _doi(cff: Mapping[str, Any]) -> str:
    return f"https://doi.org/{cff['doi']}" if cff.get("doi") else UNASSIGNED


def _identifier(kind: str, value: str) -> Json:
    return {"@type": "PropertyValue", "propertyID": kind, "value": value}


def _context() -> Json:
    words = {"@language": "en", "@vocab": "https://schema.org/", "conformsTo": "dct:conformsTo"}
    spaces = {
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
    }
    typed = {
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
    }
    texts = {name: {"@container": "@language"} for name in ("description", "name")}
    return words | spaces | typed | texts | {term: f"cr:{term}" for term in _TERMS}


def _field(name: str, kind: str, meaning: str) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"images/{name}",
        "name": name,
        "description": meaning,
        "dataType": f"sc:{kind}",
        "source": {"fileObject": {"@id": IMAGES}, "extract": {"column": name}},
    }
