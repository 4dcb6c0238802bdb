/** Key Vault, Entra, and the metadata service: answers of the emulator, through the fabric instead of sockets. */

import { IMDS_HOST } from "../../../tools/key-vault-emulator/imds/endpoint.ts";
import { type Exchange, hostNameOf } from "../../../tools/key-vault-emulator/network/exchange.ts";
import { cloudServing, imdsServing, type World } from "../../../tools/key-vault-emulator/world.ts";
import type { Message, Party, Reply } from "../network/fabric.ts";
import { wall } from "../time/context.ts";

/** Difference between the clock of the cloud services and the right time, in milliseconds. */
export interface CloudClock {
  skewMs: number;
}

/** A request that a cloud service answered, for the invariants. */
export interface CloudRequest {
  readonly at: number;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly identity: string | undefined;
}

export function cloudParty(
  world: World,
  clock: CloudClock,
  onRequest: (request: CloudRequest) => void,
): (host: string) => Party | undefined {
  const clouds = cloudServing(world);
  const imds = imdsServing(world);
  return (host) => {
    const name = hostNameOf(host);
    const serving = name === IMDS_HOST ? imds : clouds;
    if (name !== IMDS_HOST && !isCloudHost(name)) return undefined;
    return (message) => {
      const exchange = exchangeOf(message);
      const answer = serving.answer(exchange);
      if (answer === undefined) return undefined;
      onRequest({ at: wall(), host: name, path: exchange.path, status: answer.status, identity: answer.identity });
      return replyOf(answer, clock);
    };
  };
}

function isCloudHost(name: string): boolean {
  return name.endsWith(".vault.azure.net") || name === "login.microsoftonline.com";
}

function exchangeOf({ method, host, path, headers, body }: Message): Exchange {
  const mark = path.indexOf("?");
  const plain = mark < 0 ? path : path.slice(0, mark);
  return {
    method,
    host: hostNameOf(host),
    path: plain,
    segments: plain.split("/").filter((part) => part !== ""),
    query: new URLSearchParams(mark < 0 ? "" : path.slice(mark + 1)),
    headers,
    body,
  };
}

interface CloudAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Writes header names in lower case, as Node's own parser does. */
function replyOf({ status, headers = {}, body }: CloudAnswer, { skewMs }: CloudClock): Reply {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    kind: "answer",
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      date: new Date(wall() + skewMs).toUTCString(),
      ...Object.fromEntries(lower),
    },
    body: JSON.stringify(body),
  };
}
