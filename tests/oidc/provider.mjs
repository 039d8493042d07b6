// An identity provider for the tests: panva's oidc-provider on loopback. /control says what it knows and tells what it
// was asked. The first line that it prints is its address; it ends with its standard input.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const clients = JSON.parse(process.env.CLIENTS);
const known = { accounts: {}, ttl: {}, refresh: true, down: false };
let serial = 0;

function key() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  serial += 1;
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${serial}`, use: "sig", alg: "RS256" };
}

function account(id) {
  const claims = known.accounts[id];
  return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
}

const lifespan = (name, seconds) => () => known.ttl[name] ?? seconds;

// Another one with other keys knows the same sessions and grants: its memory is the module's.
function made(issuer, keys) {
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys },
    findAccount: async (_, id) => account(id),
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name"],
      rights: ["isAdmin", "applications", "applications_admin", "groups", "realm_access"],
    },
    scopes: ["openid", "offline_access"],
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      revocation: { enabled: true },
    },
    ttl: {
      AccessToken: lifespan("AccessToken", 3600),
      IdToken: lifespan("IdToken", 3600),
      RefreshToken: lifespan("RefreshToken", 86400),
      Grant: 86400,
      Session: 86400,
      Interaction: 3600,
    },
    issueRefreshToken: async () => known.refresh,
    rotateRefreshToken: true,
    cookies: { keys: ["a key of the tests"] },
    pkce: { required: () => true, methods: ["S256"] },
  });
  provider.on("server_error", (_, error) => console.error(error));
  return provider;
}

async function told(request) {
  let text = "";
  for await (const part of request) text += part;
  return JSON.parse(text || "{}");
}

let issuer;
let provider;
let keys = [key()];
let asked = [];

async function control(request, response) {
  const { rotate, ...more } = await told(request);
  Object.assign(known, more);
  if (rotate) {
    keys = [key()];
    provider = made(issuer, keys);
  }
  const said = asked;
  asked = [];
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ asked: said, kid: keys[0].kid }));
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://loopback");
  if (pathname === "/control") return control(request, response);
  asked.push(`${request.method} ${pathname}`);
  if (known.down) return response.writeHead(503).end("down");
  return provider.callback()(request, response);
});

server.listen(0, "127.0.0.1", () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  provider = made(issuer, keys);
  console.log(issuer);
});
process.stdin.on("end", () => process.exit(0)).resume();
