"""The parts of a bearer token that heketi knows. Who may have signed it is judged elsewhere."""

from pydantic import BaseModel


class TokenClaims(BaseModel):
    """Claims of a token. A number of 0 and an empty text mean the same as an absent claim.

    `aud`, `jti` and `sub` are not used, but must be texts.
    """

    aud: str = ""
    exp: int = 0
    jti: str = ""
    iat: int = 0
    iss: str = ""
    nbf: int = 0
    sub: str = ""
    qsh: str = ""
