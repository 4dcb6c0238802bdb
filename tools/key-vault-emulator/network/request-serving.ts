import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { type Answer, type Exchange, readExchange, writeAnswer, writePage, writeTruncated } from "./exchange.ts";
import type { FaultEffect, FaultPlan } from "./fault-plan.ts";
import { refusalAnswer } from "./refusals.ts";
import type { RequestLog } from "./request-log.ts";

/** Behavior of one listener. */
export interface Serving {
  readonly log: RequestLog;
  readonly faults: FaultPlan;
  /** Name of the host in the log and in faults. */
  hostOf(exchange: Exchange): string;
  /** `undefined` if no service exists at the name. The connection is then closed, because no server would answer. */
  answer(exchange: Exchange): Answer | undefined;
  /** Answer of another emulator behind this listener. `undefined` if the request is not for one. */
  forward?(exchange: Exchange): Promise<Answer | undefined> | undefined;
  /** A failure in the format of the service. */
  failure(exchange: Exchange, status: number): Answer;
}

/** Status in the log for a request without an answer. */
const NO_STATUS = 0;

export async function serveRequest(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const exchange = await readExchange(request);
  if (exchange === undefined) {
    writeAnswer(response, { status: 413, body: { error: { code: "RequestEntityTooLarge", message: "The request body is too large." } } });
    return;
  }
  const fault = serving.faults.take(exchange, serving.hostOf(exchange));
  if (fault !== undefined) return strike(fault, { exchange, response, serving });
  const answer = await answerTo(exchange, serving);
  if (answer === undefined) response.destroy();
  else send(answer, { exchange, response, serving });
}

async function answerTo(exchange: Exchange, serving: Serving): Promise<Answer | undefined> {
  const forwarded = serving.forward?.(exchange);
  return forwarded === undefined ? serving.answer(exchange) : forwarded;
}

interface Turn {
  readonly exchange: Exchange;
  readonly response: ServerResponse;
  readonly serving: Serving;
}

async function strike(fault: FaultEffect, turn: Turn): Promise<void> {
  const { exchange, response, serving } = turn;
  switch (fault.kind) {
    case "reset":
      record(turn, { status: NO_STATUS });
      response.destroy();
      return;
    case "status":
      return send(withRetryAfter(serving.failure(exchange, fault.status), fault.retryAfterSeconds), turn);
    case "refusal":
      return send(refusalAnswer(exchange, fault.refusal), turn);
    case "contentType":
      record(turn, { status: 200 });
      return writePage(response);
    case "truncated": {
      const answer = (await answerTo(exchange, serving)) ?? serving.failure(exchange, 500);
      record(turn, answer);
      return writeTruncated(response, answer);
    }
    case "without": {
      const answer = (await answerTo(exchange, serving)) ?? serving.failure(exchange, 500);
      return send({ ...answer, body: withoutMember(answer.body, fault.member) }, turn);
    }
    case "slow": {
      if (!(await waited(fault.milliseconds, response))) return record(turn, { status: NO_STATUS });
      return send((await answerTo(exchange, serving)) ?? serving.failure(exchange, 500), turn);
    }
  }
}

/** Returns false if the client closes the connection first. */
async function waited(milliseconds: number, response: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  const giveUp = (): void => gone.abort();
  response.once("close", giveUp);
  try {
    await delay(milliseconds, undefined, { signal: gone.signal, ref: false });
    return true;
  } catch {
    return false;
  } finally {
    response.removeListener("close", giveUp);
  }
}

/** Returns a copy without the member. A body without such a member stays unchanged. */
function withoutMember(body: unknown, member: string): unknown {
  if (typeof body !== "object" || body === null) return body;
  const [name = "", ...inner] = member.split(".");
  const entries = Object.entries(body).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    if (key !== name) return [[key, value]];
    return inner.length === 0 ? [] : [[key, withoutMember(value, inner.join("."))]];
  });
  return Object.fromEntries(entries);
}

function withRetryAfter(answer: Answer, seconds: number | undefined): Answer {
  return seconds === undefined ? answer : { ...answer, headers: { ...answer.headers, "Retry-After": String(seconds) } };
}

function send(answer: Answer, turn: Turn): void {
  record(turn, answer);
  writeAnswer(turn.response, answer);
}

function record({ exchange, serving }: Turn, { status, identity, audience }: Pick<Answer, "status" | "identity" | "audience">): void {
  const apiVersion = loggableApiVersion(exchange.query.get("api-version"));
  serving.log.add({
    host: serving.hostOf(exchange),
    method: exchange.method,
    path: exchange.path,
    status,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(identity === undefined ? {} : { identity }),
    ...(audience === undefined ? {} : { audience }),
  });
}

/** Accepts only short dotted or dated versions, so that the log contains nothing else that a client sends. */
function loggableApiVersion(text: string | null): string | undefined {
  return text !== null && /^\d[\d.-]{0,14}(-preview(\.\d)?)?$/.test(text) ? text : undefined;
}
