// google-auth-library: a grant from its consent to its end. Every act signs in anew.

import {
  ACCOUNT,
  allow,
  BASE_URL,
  CLIENT_ID,
  calendarOf,
  failure,
  newClient,
  run,
  signedIn,
  simulator,
} from "./acts.mjs";

async function exchange() {
  const client = newClient();
  const { code, codeVerifier, state } = await allow(client);
  const stranger = "x".repeat(codeVerifier.length);
  const wrong = await failure(client.getToken({ code, codeVerifier: stranger }));
  const missing = await failure(client.getToken({ code }));
  const { tokens } = await client.getToken({ code, codeVerifier });
  const again = await failure(client.getToken({ code, codeVerifier }));
  return { state, wrong, missing, again, tokens, now: Date.now() };
}

async function basicCredentials() {
  const client = await signedIn({ clientAuthentication: "ClientSecretBasic" });
  return Object.keys(client.credentials);
}

async function verifyIdToken() {
  const client = await signedIn({}, { nonce: "a-nonce" });
  const idToken = client.credentials.id_token;
  const [head, body, signature] = idToken.split(".");
  const forged = [head, body, signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))];
  const before = (await simulator("calls", { method: "oauth.certs" })).length;
  const ticket = await client.verifyIdToken({ idToken, audience: CLIENT_ID });
  return {
    id: ticket.getUserId(),
    claims: ticket.getPayload(),
    stranger: await failure(client.verifyIdToken({ idToken, audience: "somebody else" })),
    forged: await failure(client.verifyIdToken({ idToken: forged.join("."), audience: CLIENT_ID })),
    readings: (await simulator("calls", { method: "oauth.certs" })).length - before,
  };
}

async function getTokenInfo() {
  const client = await signedIn();
  const info = await client.getTokenInfo(client.credentials.access_token);
  const unknown = await failure(client.getTokenInfo("ya29.unknown"));
  const refreshToken = await failure(client.getTokenInfo(client.credentials.refresh_token));
  return { info, unknown, refreshToken, now: Date.now() };
}

async function userinfo() {
  const client = await signedIn();
  return (await client.request({ url: `${BASE_URL}/oauth2/v3/userinfo` })).data;
}

/** Three calls at once with a token that is about to end. */
async function refresh() {
  const client = await signedIn();
  const heard = [];
  client.on("tokens", (tokens) => heard.push(Object.keys(tokens).sort()));
  const first = client.credentials.access_token;
  client.setCredentials({ ...client.credentials, expiry_date: Date.now() - 1 });
  await simulator("clear_calls");
  const { calendarList } = calendarOf(client);
  await Promise.all([calendarList.list(), calendarList.list(), calendarList.list()]);
  const refreshes = (await simulator("calls", { method: "oauth.refresh" })).length;
  return { heard, refreshes, isNew: client.credentials.access_token !== first };
}

/** A token that ended without the client's knowing. */
async function refreshAfterARefusal() {
  const client = await signedIn({ forceRefreshOnFailure: true });
  await simulator("expire_access_tokens", ACCOUNT);
  await simulator("clear_calls");
  const { status } = await calendarOf(client).calendarList.list();
  const calls = await simulator("calls");
  return { status, calls: calls.map(({ method, status: answer }) => [method, answer]) };
}

async function refused() {
  const client = await signedIn();
  const ended = async (cause) => {
    await simulator("fail_tokens", ACCOUNT, cause);
    return failure(client.refreshAccessToken());
  };
  const answers = { revoked: await ended("revoked"), reauth: await ended("invalid_rapt") };
  await simulator("fail_tokens", ACCOUNT, null);
  return answers;
}

async function revoke() {
  const client = await signedIn();
  const { access_token, refresh_token } = client.credentials;
  const { status } = await client.revokeCredentials();
  client.setCredentials({ refresh_token });
  const afterwards = await failure(client.getAccessToken());
  return { status, afterwards, again: await failure(client.revokeToken(access_token)) };
}

run({
  exchange,
  basicCredentials,
  verifyIdToken,
  getTokenInfo,
  userinfo,
  refresh,
  refreshAfterARefusal,
  refused,
  revoke,
});
