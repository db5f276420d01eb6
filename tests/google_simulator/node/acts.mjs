// What the scripts beside this one share: acts of Google's Node.js libraries, run by node_acts.py.
// Messages to the tests are lines of JSON: knobs to turn, and at the end what each act learnt.

import process from "node:process";
import { createInterface } from "node:readline";
import { calendar } from "@googleapis/calendar";
import { CodeChallengeMethod, OAuth2Client } from "google-auth-library";

export const [BASE_URL, CLIENT_ID, CLIENT_SECRET, ACCOUNT] = process.argv.slice(2);
export const SCOPES = ["openid", "email", "https://www.googleapis.com/auth/calendar"];

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** What a method of the simulator's control answers; the last argument holds its keywords. */
export async function simulator(method, ...given) {
  const keywords = given.at(-1) instanceof Object ? given.pop() : {};
  say({ method, arguments: given, keywords });
  return JSON.parse((await answers.next()).value);
}

/** A client that nobody has allowed anything yet, with Google's addresses here. */
export function newClient(options = {}) {
  return new OAuth2Client({
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUri: "http://127.0.0.1:8000/callback",
    endpoints: {
      tokenInfoUrl: `${BASE_URL}/tokeninfo`,
      oauth2AuthBaseUrl: `${BASE_URL}/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${BASE_URL}/token`,
      oauth2RevokeUrl: `${BASE_URL}/revoke`,
      oauth2FederatedSignonPemCertsUrl: `${BASE_URL}/oauth2/v1/certs`,
      oauth2FederatedSignonJwkCertsUrl: `${BASE_URL}/oauth2/v3/certs`,
    },
    ...options,
  });
}

/** Through the consent pages with PKCE: the code and what proves that it is ours. */
export async function allow(client, options = {}) {
  const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync();
  const url = client.generateAuthUrl({
    access_type: "offline",
    prompt: "consent",
    scope: SCOPES,
    state: "a/state?",
    code_challenge: codeChallenge,
    code_challenge_method: CodeChallengeMethod.S256,
    ...options,
  });
  const back = new URL(await simulator("authorize", url, { account: ACCOUNT }));
  const { code, state } = Object.fromEntries(back.searchParams);
  return { code, codeVerifier, state };
}

/** A client with a grant. */
export async function signedIn(options = {}, asked = {}) {
  const client = newClient(options);
  const { code, codeVerifier } = await allow(client, asked);
  const { tokens } = await client.getToken({ code, codeVerifier });
  client.setCredentials(tokens);
  return client;
}

/** The Calendar API for that client. */
export const calendarOf = (auth) => calendar({ version: "v3", auth, rootUrl: `${BASE_URL}/` });

/** How a call failed, in the client's own words. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return { message: error.message, status: error.status, data: error.response?.data };
  }
  throw new Error("It did not fail.");
}

/** Each act once, one after the other; one that fails leaves the others alone. */
export async function run(acts) {
  const outcomes = {};
  for (const [name, act] of Object.entries(acts)) {
    try {
      outcomes[name] = { learnt: (await act()) ?? null };
    } catch (error) {
      outcomes[name] = { failed: `${error.stack} ${JSON.stringify(error.response?.data)}` };
    }
  }
  say({ outcomes });
  process.exit(0);
}
