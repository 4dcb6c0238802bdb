/** Faults of the network to the API server and to the clouds. */
import type { Fate, Message, Weather } from "../network/fabric.ts";
import type { Random } from "../time/random.ts";
import { writeClass } from "../world/authors.ts";
import { relabelled } from "../world/classes.ts";
import { API_HOST } from "../world/cluster.ts";
import type { World } from "../world/world.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

type Target = (message: Message) => boolean;

const isApi: Target = ({ host }) => host === API_HOST;
const isVault: Target = ({ host }) => host.includes(".vault.azure.net");
const isLogin: Target = ({ host }) => host.includes("login.microsoftonline.com");
const isWatch: Target = ({ path }) => path.includes("watch=true");
const isWrite: Target = ({ method }) => method !== "GET";
const isSecretWrite: Target = ({ method, path }) => method !== "GET" && /\/namespaces\/[^/]+\/secrets/.test(path);

/** Adds the weather to the world. The returned function removes it. */
function during(world: World, weather: Weather): () => void {
  world.weathers.add(weather);
  return () => void world.weathers.delete(weather);
}

function some(random: Random, target: Target, share: number, fate: (message: Message) => Fate): Weather {
  return (message) => (target(message) && random.chance(share) ? fate(message) : undefined);
}

/** Selects the requests of one replica, or of all replicas. */
function whose(world: World, random: Random): Target {
  if (random.chance(0.5)) return () => true;
  const { name } = random.pick(world.replicas);
  return ({ machine }) => machine?.name.startsWith(`${name}/`) === true;
}

function both(...targets: readonly Target[]): Target {
  return (message) => targets.every((target) => target(message));
}

/** Selects the requests to one vault, or to all vaults. */
function whichVault(world: World, random: Random): Target {
  if (random.chance(0.3)) return isVault;
  const vault = random.pick([...world.vaults.all.keys()]);
  return ({ host }) => host.startsWith(`${vault}.`);
}

/** Selects the sign-ins of one team's application, which only the classes of this team use. */
function oneApplication(world: World, random: Random): Target {
  const { appId } = random.pick(world.teams).application;
  return both(isLogin, ({ body }) => body.includes(appId));
}

export interface NetworkKind {
  readonly name: string;
  readonly longestMs: number;
  readonly target: (world: World, random: Random) => Target;
  readonly fate: (random: Random) => (message: Message) => Fate;
  /** Share of the requests that the fault affects; drawn if undefined. */
  readonly share?: number;
}

export function networkFault({ name, longestMs, target, fate, share }: NetworkKind): FaultKind {
  return {
    name,
    longestMs,
    begin: (world, random) => {
      const meant = target(world, random);
      return during(world, some(random, meant, share ?? random.between(0.2, 1), fate(random)));
    },
  };
}

export const reset = (random: Random) => (): Fate =>
  random.chance(0.5)
    ? { kind: "resetBefore", there: random.delay(2) }
    : { kind: "resetAfter", there: random.delay(2), back: random.delay(2) };
export const slow = (median: number) => (random: Random) => (): Fate => ({
  kind: "passed",
  there: random.delay(median / 2),
  back: random.delay(median / 2),
});
export const lost = () => (): Fate => ({ kind: "lost" });
export const unanswered = (random: Random) => (): Fate => ({ kind: "unanswered", there: random.delay(2) });
export const cut = (random: Random) => (): Fate => ({ kind: "cut", there: random.delay(2), back: random.delay(2) });

function answers(status: number, headers: Readonly<Record<string, string>>, body: object) {
  return (random: Random) => (): Fate => ({
    kind: "replaced",
    there: random.delay(4),
    reply: { kind: "answer", status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) },
  });
}

/** Answers with an error as Azure Storage does. */
export function answersXml(status: number, code: string, headers: Readonly<Record<string, string>> = {}) {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  const reply = {
    kind: "answer",
    status,
    headers: { "content-type": "application/xml", "x-ms-error-code": code, ...headers },
    body,
  } as const;
  return (random: Random) => (): Fate => ({ kind: "replaced", there: random.delay(4), reply });
}

/** Answers with the page of a proxy that demands a sign-in. */
export const page = (random: Random) => (): Fate => ({
  kind: "replaced",
  there: random.delay(4),
  reply: {
    kind: "answer",
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<!DOCTYPE html><html><body>Sign in</body></html>",
  },
});

function apiStatus(code: number, reason: string): object {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: reason, reason, code };
}

const api = (world: World, random: Random): Target => both(isApi, whose(world, random));
const apiWrites = (world: World, random: Random): Target => both(isApi, isWrite, whose(world, random));
const login = (): Target => isLogin;

export const networkFaults: readonly FaultKind[] = [
  networkFault({ name: "API server: slow", longestMs: 10 * MINUTE, target: api, fate: slow(400) }),
  networkFault({ name: "API server: slow for seconds", longestMs: 5 * MINUTE, target: api, fate: slow(4_000) }),
  networkFault({
    name: "API server: writes slow, as behind somebody's webhook",
    longestMs: 10 * MINUTE,
    target: apiWrites,
    fate: slow(2_000),
  }),
  {
    name: "API server: Secrets slow to write, as behind somebody's webhook, while all classes are deployed",
    longestMs: 10 * MINUTE,
    begin: (world, random) => {
      const end = during(world, some(random, both(isApi, isSecretWrite), 1, slow(10_000)(random)));
      const release = `release-${random.below(1_000_000)}`;
      for (const team of world.teams)
        for (const wanted of team.classes.values()) writeClass(world.cluster, team, relabelled(wanted, release));
      return end;
    },
  },
  networkFault({ name: "API server: connections reset", longestMs: 10 * MINUTE, target: api, fate: reset }),
  networkFault({ name: "API server: answers lost after the write", longestMs: 5 * MINUTE, target: apiWrites, fate: unanswered }),
  networkFault({ name: "API server: requests lost", longestMs: 5 * MINUTE, target: api, fate: lost }),
  networkFault({ name: "API server: answers cut", longestMs: 5 * MINUTE, target: api, fate: cut }),
  networkFault({ name: "API server: 500", longestMs: 5 * MINUTE, target: api, fate: answers(500, {}, apiStatus(500, "InternalError")) }),
  networkFault({
    name: "API server: 429",
    longestMs: 5 * MINUTE,
    target: api,
    fate: answers(429, { "retry-after": "1" }, apiStatus(429, "TooManyRequests")),
  }),
  networkFault({
    name: "API server: conflicts",
    longestMs: 5 * MINUTE,
    target: apiWrites,
    fate: answers(409, {}, apiStatus(409, "Conflict")),
  }),
  networkFault({
    name: "API server: away",
    longestMs: 15 * MINUTE,
    target: api,
    fate: (random) => () => ({ kind: "resetBefore", there: random.delay(1) }),
    share: 1,
  }),
  networkFault({ name: "API server: watches refused", longestMs: 10 * MINUTE, target: () => both(isApi, isWatch), fate: reset, share: 1 }),
  networkFault({
    name: "vault: away",
    longestMs: 20 * MINUTE,
    target: whichVault,
    fate: (random) => () => ({ kind: "resetBefore", there: random.delay(3) }),
    share: 1,
  }),
  networkFault({ name: "vault: silent", longestMs: 15 * MINUTE, target: whichVault, fate: lost }),
  networkFault({ name: "vault: connections reset", longestMs: 15 * MINUTE, target: whichVault, fate: reset }),
  networkFault({ name: "vault: slow", longestMs: 15 * MINUTE, target: whichVault, fate: slow(6_000) }),
  networkFault({ name: "vault: answers cut", longestMs: 10 * MINUTE, target: whichVault, fate: cut }),
  networkFault({
    name: "vault: 503",
    longestMs: 10 * MINUTE,
    target: whichVault,
    fate: answers(503, { "retry-after": "5" }, { error: { code: "ServiceUnavailable", message: "busy" } }),
  }),
  networkFault({
    name: "vault: 429",
    longestMs: 10 * MINUTE,
    target: whichVault,
    fate: answers(429, { "retry-after": "10" }, { error: { code: "Throttled", message: "later" } }),
  }),
  networkFault({ name: "sign-in: never answered", longestMs: 10 * MINUTE, target: login, fate: lost }),
  networkFault({
    name: "sign-in: never answered for one application",
    longestMs: 40 * MINUTE,
    target: oneApplication,
    fate: lost,
    share: 1,
  }),
  networkFault({ name: "sign-in: connections reset", longestMs: 10 * MINUTE, target: login, fate: reset }),
  networkFault({
    name: "sign-in: busy",
    longestMs: 10 * MINUTE,
    target: login,
    fate: answers(503, {}, { error: "temporarily_unavailable", error_description: "AADSTS90033: A transient error has occurred." }),
  }),
  {
    name: "watches cut",
    longestMs: 0,
    begin: ({ fabric }) => {
      fabric.cut(isApi, "reset");
      return undefined;
    },
  },
  {
    name: "watches silent",
    longestMs: 0,
    begin: (world, random) => {
      const meant = random.chance(0.5) ? "secrets" : "secretproviderclasses";
      world.fabric.cut(random.chance(0.4) ? isApi : both(isApi, ({ path }) => path.includes(meant)), "silence");
      return undefined;
    },
  },
];
