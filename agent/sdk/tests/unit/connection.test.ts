/** Connecting tells apart what went wrong, and a broken stream is taken up where it broke. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { browser } from "../support/browser-globals.js";
import { MockAgent, refusal } from "../support/mock-agent.js";
import { AgentClient } from "../../src/client.js";
import { AgentError } from "../../src/errors.js";
import { reconnectPause } from "../../src/events.js";

let agent: MockAgent;
let address: string;
let client: AgentClient;

beforeEach(async () => {
  agent = new MockAgent();
  address = await agent.start();
  browser.permission = "granted";
  browser.asked = [];
  client = new AgentClient({ address, getToken: async () => "e30.eyJpYXQiOjAsImV4cCI6NjAwfQ.c2ln" });
});

afterEach(async () => {
  client.close();
  await agent.stop();
});

async function kindOfFailure(): Promise<string> {
  try {
    await client.connect();
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error));
    return error.kind;
  }
  return "none";
}

/** Resolves when the connection next comes to this state. */
function reaches(state: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onConnection((connection) => {
      if (connection.state === state) {
        stop();
        resolve();
      }
    });
  });
}

test("an agent that answers is connected with the token in the first message", async () => {
  await client.connect();
  assert.equal(client.connection.state, "connected");
  assert.equal(agent.greetings[0]?.type, "hello");
  assert.equal(browser.asked[0], "loopback-network");
});

test("nobody on the port is an absent agent", async () => {
  await agent.stop();
  assert.equal(await kindOfFailure(), "agent_absent");
  agent = new MockAgent();
});

test("another program on the port is an absent agent", async () => {
  agent.on("GET /v1/hello", () => ({ body: { hello: "world" } }));
  assert.equal(await kindOfFailure(), "agent_absent");
});

test("a denied permission is told before anything else is supposed", async () => {
  await agent.stop();
  browser.permission = "denied";
  assert.equal(await kindOfFailure(), "permission_denied");
  agent = new MockAgent();
});

test("a question that the user closed is told as such", async () => {
  await agent.stop();
  browser.permission = "prompt";
  assert.equal(await kindOfFailure(), "permission_prompt");
  agent = new MockAgent();
});

test("a browser without the permission still finds the agent", async () => {
  browser.permission = "unknown";
  assert.equal(await kindOfFailure(), "none");
  assert.deepEqual(browser.asked, ["loopback-network", "local-network-access"]);
});

test("an agent of another version is refused", async () => {
  agent.on("GET /v1/hello", () => ({ body: { protocol: "madoguchi-agent", versions: [2, 3] } }));
  assert.equal(await kindOfFailure(), "version_mismatch");
});

test("a refused token fails the connection with the agent's own words", async () => {
  agent.greet = () => ({ type: "refused", error: refusal("DOR-TOKEN", "door") });
  assert.equal(await kindOfFailure(), "token_invalid");
});

test("a token that expired under way is replaced once, by itself", async () => {
  let refusals = 0;
  agent.greet = () => {
    refusals += 1;
    return refusals === 1
      ? { type: "refused", error: refusal("DOR-TOKEN-EXPIRED", "door") }
      : agent.welcome(false);
  };
  assert.equal(await kindOfFailure(), "none");
  assert.equal(refusals, 2);
});

test("a broken stream is taken up at the last position seen", async () => {
  await client.connect();
  const seen = new Promise<void>((resolve) => client.onDevices(() => resolve()));
  agent.push({ kind: "devices", devices: { devices: [], cardService: "up" } });
  await seen;
  const back = reaches("reconnecting").then(() => reaches("connected"));
  agent.dropClients();
  await back;
  const second = agent.greetings[1];
  assert.deepEqual(second?.type === "hello" && second.after, { run: "run-1", seq: 1 });
});

test("after lost events the present state is asked for", async () => {
  agent.on("GET /v1/devices", () => ({ body: { devices: [], cardService: "down" } }));
  await client.connect();
  const seen = new Promise<string>((resolve) => client.onDevices((list) => resolve(list.cardService)));
  agent.greet = () => agent.welcome(true);
  agent.dropClients();
  assert.equal(await seen, "down");
});

test("a closed client stays closed", async () => {
  await client.connect();
  client.close();
  agent.dropClients();
  assert.equal(client.connection.state, "closed");
  assert.equal(agent.greetings.length, 1);
});

test("pauses grow, are jittered, and have an end", () => {
  assert.equal(reconnectPause(0, 0), 125);
  assert.equal(reconnectPause(0, 1), 250);
  assert.equal(reconnectPause(3, 0), 1000);
  assert.equal(reconnectPause(1000, 1), 10_000);
});
