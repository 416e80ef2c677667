"""The shapes of a model's answers: laxer than the values that are made of them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ModelAnswer(BaseModel):
    """An answer whose further fields are ignored: models like to add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProfileAnswer(ModelAnswer):
    name: str = Field(min_length=1)
    tagline: str = ""
    summary: str = Field(min_length=1)
    offers: list[str] = []
    audience: str = ""
    tone: str = ""
    language: str = ""
    key_pages: list[str] = Field(default=[], description="addresses")
    read_next: list[str] = Field(default=[], description="addresses, best first")


class NotesAnswer(ModelAnswer):
    summary: str = Field(min_length=1)
    key_phrases: list[str] = []


class TopicAnswer(ModelAnswer):
    title: str = Field(min_length=3)
    why: str = ""
    url: str = ""


class TopicsAnswer(ModelAnswer):
    topics: list[TopicAnswer]


class SectionAnswer(ModelAnswer):
    heading: str = Field(min_length=1)
    points: list[str] = []
    passages: list[str] = Field(default=[], description="ids of passages")


class OutlineAnswer(ModelAnswer):
    title: str = Field(min_length=1)
    summary: str = ""
    sections: list[SectionAnswer] = Field(min_length=1)
