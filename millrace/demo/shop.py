"""The shop's HTTP API and its mailbox, as the demonstration uses them."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from millrace.environments import Environment
from millrace.errors import MillraceError

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its parsed JSON body (None when there is none)."""

    status: int
    body: Any
    text: str

    def expect(self, *statuses: int) -> Any:
        """The body. Raises MillraceError when the status is none of these."""
        if self.status not in statuses:
            raise MillraceError(f"The API answered {self.status}: {self.text[:300]}")
        return self.body


@dataclass(frozen=True)
class Mail:
    """An e-mail that was sent. `to` is None where nobody can look into the mailbox."""

    to: str | None
    subject: str


class Shop:
    """The HTTP API of one environment."""

    def __init__(self, environment: Environment) -> None:
        self._url = environment.text("api_url")
        self._endpoint = environment.client.get("AWS_ENDPOINT_URL")
        # The machine's proxy is for the world outside, not for the loopback address.
        proxies = urllib.request.ProxyHandler({} if environment.is_local else None)
        self._opener = urllib.request.build_opener(proxies)

    @property
    def has_mailbox(self) -> bool:
        """Whether the e-mails themselves can be read, as on local AWS."""
        return self._endpoint is not None

    def call(
        self,
        method: str,
        path: str,
        token: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request with a bearer token. Raises MillraceError when nobody answers."""
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {token}",
                "content-type": "application/json",
                **(headers or {}),
            },
        )
        return self._open(request)

    def mails(self, about: str) -> list[Mail]:
        """The e-mails in local AWS's mailbox that mention a text, such as an order's id."""
        mailbox = urllib.request.Request(f"{self._endpoint}/_ministack/ses/messages")
        accounts: dict[str, list[dict[str, Any]]] = self._open(mailbox).expect(200)["messages"]
        return [
            Mail(_address(mail.get("To")), str(mail.get("Subject", "")))
            for mails in accounts.values()
            for mail in mails
            if about in f"{mail.get('Subject')} {mail.get('BodyText')}"
        ]

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return _answer(response.status, response.read())
        except urllib.error.HTTPError as refusal:
            return _answer(refusal.code, refusal.read())
        except (OSError, http.client.HTTPException) as error:
            what = f"{request.get_method()} {request.selector}"
            raise MillraceError(f"{what}: nobody answers: {error}") from None


def _address(to: Any) -> str:
    return ", ".join(map(str, to)) if isinstance(to, list) else str(to)


def _answer(status: int, content: bytes) -> Answer:
    text = content.decode(errors="replace")
    try:
        body = json.loads(text) if text else None
    except ValueError:
        body = None
    return Answer(status, body, text)
