"""What providers send, as pages of theirs show it (of Keycloak: of somebody who uses it), each with
its address. None was recorded by us: no test speaks to these services.

ID tokens stand here whole: every claim that the page shows, with its value. Of Okta's userinfo and
of GitHub's answers there are those fields that we read and some around them; the page has more.
What an organisation would put into a token (roles and groups of ours) is made up, and apart.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

Claims = dict[str, Any]


class Recorded(NamedTuple):
    """An ID token and where it is shown; what userinfo adds to it; what an organisation puts there;
    then who that is, whether they are a platform admin, and which projects they administer."""

    source: str
    id_token: Claims
    user_info: Claims
    ours: Claims
    user: str
    admin: bool
    projects: set[str]

    @property
    def claims(self) -> Claims:
        """All that the provider says, as it is put together at a sign-in."""
        return self.id_token | self.user_info


TOKENS: Final[dict[str, Recorded]] = {
    "Keycloak": Recorded(
        # Of a Keycloak of 2025 whose realm roles are added to ID token and userinfo.
        "https://www.simplex-software.fr/posts-archive/devsecops",
        {
            "exp": 1748451175, "iat": 1748450875, "jti": "f47e28a8-1106-43fa-bc55-29c69735d005",
            "iss": "http://localhost:8080/realms/myrealm", "aud": "fe-facc",
            "sub": "139d80d5-0cf9-4edb-a2ab-8aed2c121acd", "typ": "ID", "azp": "fe-facc",
            "sid": "a2fbba19-3ec2-45c4-866b-0179502d3a76", "at_hash": "SVG6Dl6cqfTy6IxzBy1urw",
            "email_verified": True,
            "realm_access": {"roles": [
                "default-roles-myrealm", "manager", "offline_access", "uma_authorization",
            ]},
            "name": "John Doe", "preferred_username": "john", "given_name": "John",
            "family_name": "Doe", "email": "john.doe@emailcom",
        },
        {},  # the same again
        {"realm_access": {"roles": ["offline_access", "spendscope-admin"]},
         "groups": ["spendscope-web-admins", "staff"]},
        "john", True, {"web"},
    ),
    "Entra ID": Recorded(
        "https://learn.microsoft.com/en-us/entra/identity-platform/id-tokens",
        {
            "ver": "2.0", "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "iss": "https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            "aud": "6cb04018-a3f5-46a7-b995-940c78f5aef3", "exp": 1536361411, "iat": 1536274711,
            "nbf": 1536274711, "name": "Abe Lincoln", "preferred_username": "AbeLi@microsoft.com",
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "tid": "9122040d-6c67-4c5b-b112-36a304b66dad", "nonce": "123523",
            "aio": "Df2UVXL1ix!lMCWMSOJBcFatzcGfvFGhjKv8q5g0x732dR5MB5BisvGQO7YWByjd8iQDLq!eGbIDa"
                   "kyp5mnOrcdqHeYSnltepQmRp6AIZ8jY",
        },
        {},
        {"roles": ["Spendscope.Project.web", "Spendscope.Project.etl"]},
        "AbeLi@microsoft.com", False, {"web", "etl"},
    ),
    "Okta": Recorded(
        "https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/",
        {
            "sub": "00uixa271s6x7qt8I0h7", "ver": 1, "iss": "https://${yourOktaDomain}",
            "aud": "0oaoiuhhch8VRtBnC0h7", "iat": 1574201516, "exp": 1574205116,
            "jti": "ID.ewMNfSvcpuqyS93OgVeCN3F2LseqROkyYjz7DNb9yhs",
            "amr": ["pwd", "mfa", "kba"], "idp": "00oixa26ycdNcX0VT0h7", "nonce": "UBGW",
            "auth_time": 1574201433, "groups": ["Everyone", "IT"],
        },
        # With an access token beside it the ID token has base claims alone, and userinfo the others
        # (the same page): two of those of https://developer.okta.com/docs/reference/api/oidc/#userinfo
        {"name": "John Doe", "preferred_username": "john.doe@example.com"},
        {"groups": ["Everyone", "spendscope-admins", "spendscope-project-web"]},
        "john.doe@example.com", True, {"web"},
    ),
    "Google": Recorded(
        "https://developers.google.com/identity/openid-connect/openid-connect",
        {
            "iss": "https://accounts.google.com",
            "azp": "1234987819200.apps.googleusercontent.com",
            "aud": "1234987819200.apps.googleusercontent.com",
            "sub": "10769150350006150715113082367", "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
            "hd": "example.com", "email": "jsmith@example.com", "email_verified": "true",
            "iat": 1353601026, "exp": 1353604926, "nonce": "0394852-3190485-2490358",
        },
        {"hd": "example.com"},  # https://github.com/zquestz/omniauth-google-oauth2#auth-hash
        {}, "jsmith@example.com", False, set(),
    ),
    "Dex": Recorded(
        "https://github.com/dexidp/dex#id-tokens",
        {
            "iss": "http://127.0.0.1:5556/dex", "sub": "CgcyMzQyNzQ5EgZnaXRodWI",
            "aud": "example-app", "exp": 1492882042, "iat": 1492795642,
            "at_hash": "bi96gOXZShvlWYtal9Eqiw", "email": "jane.doe@coreos.com",
            "email_verified": True, "groups": ["admins", "developers"], "name": "Jane Doe",
        },
        # With the scope `federated:id`:
        # https://dexidp.io/docs/configuration/custom-scopes-claims-clients/
        {"federated_claims": {"connector_id": "github", "user_id": "110272483197731336751"}},
        {"groups": ["company:staff", "company:spendscope-web-leads"]},
        "jane.doe@coreos.com", False, {"web"},
    ),
}  # fmt: skip
# https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference
OVERAGES: Final[tuple[Claims, ...]] = (
    {"_claim_names": {"groups": "src1"},
     "_claim_sources": {"src1": {"endpoint": "https://graph.microsoft.com/v1.0/users/1/x"}}},
    {"hasgroups": True}, {"groups:src1": {"endpoint": "https://graph.microsoft.com"}},
    {"groups": "src1", "_claim_sources": {"src1": {"endpoint": "https://graph.microsoft.com"}}},
)  # fmt: skip
# Parts of https://docs.github.com/en/rest/users/users, …/rest/users/emails, …/rest/orgs/members and
# …/rest/teams/teams: each answer has a dozen addresses more.
GITHUB_USER: Final[Claims] = {
    "login": "octocat", "id": 1, "node_id": "MDQ6VXNlcjE=", "type": "User", "site_admin": False,
    "avatar_url": "https://github.com/images/error/octocat_happy.gif", "gravatar_id": "",
    "html_url": "https://github.com/octocat", "name": "monalisa octocat", "company": "GitHub",
    "blog": "https://github.com/blog", "location": "San Francisco", "email": "octocat@github.com",
    "hireable": False, "bio": "There once was...", "public_repos": 2, "followers": 20,
    "created_at": "2008-01-14T04:33:35Z", "updated_at": "2008-01-14T04:33:35Z",
}  # fmt: skip
GITHUB_EMAIL: Final[Claims] = {
    "email": "octocat@github.com", "verified": True, "primary": True, "visibility": "public",
}  # fmt: skip
GITHUB_MEMBERSHIP: Final[Claims] = {
    "url": "https://api.github.com/orgs/octocat/memberships/defunkt", "state": "active",
    "role": "admin", "organization_url": "https://api.github.com/orgs/octocat",
    "organization": {"login": "github", "id": 1, "node_id": "MDEyOk9yZ2FuaXphdGlvbjE="},
}  # fmt: skip
GITHUB_TEAM: Final[Claims] = {
    "id": 1, "node_id": "MDQ6VGVhbTE=", "url": "https://api.github.com/teams/1",
    "html_url": "https://github.com/orgs/github/teams/justice-league", "name": "Justice League",
    "slug": "justice-league", "description": "A great team.", "privacy": "closed",
    "permission": "admin", "members_count": 3, "repos_count": 10,
    "organization": {"login": "github", "id": 1, "node_id": "MDEyOk9yZ2FuaXphdGlvbjE="},
}  # fmt: skip
