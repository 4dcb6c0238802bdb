import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { overloaded } from "../domain/admission/decision.ts";
import type { FairTurns } from "../runtime/fair-turns.ts";
import { peerOf } from "../runtime/peer.ts";
import type { AdmissionGate, AdmissionPlace } from "./admission-gate.ts";
import { answerTo, type ReviewHandler, type WebhookAnswer } from "./answer.ts";
import { discardRest } from "./read-body.ts";

/** Paths in the webhook configurations. */
export const PODS_PATH = "/mutate/pods";
export const WORKLOADS_PATH = "/validate/workloads";
export const CLASSES_PATH = "/validate/secretproviderclasses";

export interface AppOptions {
  readonly handlers: Readonly<Record<string, ReviewHandler>>;
  /** Whether the connection should end with the response. */
  readonly isDraining: () => boolean;
  readonly gate: AdmissionGate;
  readonly turns: FairTurns;
  readonly onShed: () => void;
}

/** Creates the routes. There is no body parser, since the handlers read the bytes themselves. */
export function createApp({ handlers, ...options }: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  for (const [path, handle] of Object.entries(handlers)) {
    // A pod waits for its review. The response to other objects contains only warnings.
    const canWait = path !== PODS_PATH;
    app.post(path, (request, response) => answerReview(request, response, { ...options, handle, canWait }));
    app.all(path, (request, response) => {
      response.set("Allow", "POST");
      return answerMistake(request, response, { turns: options.turns, status: 405, message: `${path} accepts only POST` });
    });
  }
  const message = `this path serves nothing: send reviews to ${Object.keys(handlers).join(", ")}`;
  app.use((request, response) => answerMistake(request, response, { turns: options.turns, status: 404, message }));
  app.use(hideErrors);
  return app;
}

interface Mistake extends Pick<AppOptions, "turns"> {
  readonly status: number;
  readonly message: string;
}

/** Answers a request that is not for a review. No API server waits for that, so it waits behind the reviews of its peer. */
async function answerMistake(request: Request, response: Response, { turns, status, message }: Mistake): Promise<void> {
  // Meanwhile, nothing of a body is kept.
  void discardRest(request);
  await turns.takeBehind(peerOf(request.socket));
  if (!response.destroyed) await sendText(request, response, { status, text: JSON.stringify({ message }) });
}

interface Answering extends Omit<AppOptions, "handlers"> {
  readonly handle: ReviewHandler;
  readonly canWait: boolean;
}

async function answerReview(request: Request, response: Response, options: Answering): Promise<void> {
  const { handle, canWait, gate, turns, isDraining, onShed } = options;
  const peer = peerOf(request.socket);
  const displaced = new AbortController();
  const place = gate.enter(peer, () => displaced.abort());
  if (place === undefined) {
    onShed();
    await sendWhole(request, response, answerTo(undefined, overloaded()));
    return;
  }
  try {
    const turn = (): Promise<void> => (canWait ? turns.takeBehind(peer) : turns.take(peer));
    const answer = await handle({ message: request, peer, place, displaced: displaced.signal, turn });
    if (isDraining()) response.set("Connection", "close");
    // A response that no client reads holds its bytes until the connection is ended.
    displaced.signal.addEventListener("abort", () => response.destroy());
    await sendHeld(request, response, { place, answer });
  } finally {
    place.leave();
  }
}

/** The response takes over the room of the body. */
async function sendHeld(
  request: Request,
  response: Response,
  { place, answer }: { readonly place: AdmissionPlace; readonly answer: WebhookAnswer },
) {
  if (answer.status === 429) {
    await sendWhole(request, response, answer);
    return;
  }
  const text = JSON.stringify(answer.body);
  if (place.hold(text.length)) await sendText(request, response, { status: answer.status, text });
  else await sendWhole(request, response, answerTo(undefined, overloaded()));
}

/**
 * Sends a refusal. The API server's client waits for the second that `Retry-After` names, and tries again for as long as the webhook's
 * timeout allows. An error that is sent at once can still lead to an injected pod, a slow one never.
 */
async function sendWhole(request: Request, response: Response, { status, body }: WebhookAnswer): Promise<void> {
  response.set("Retry-After", "1");
  await sendText(request, response, { status, text: JSON.stringify(body) });
}

/** Resolves when the system has taken the response, or when the connection has ended. */
async function sendText(request: Request, response: Response, { status, text }: { readonly status: number; readonly text: string }) {
  // If a request is not read to its end, the server cannot know where the next one begins.
  const isWhole = await isReadToEnd(request);
  if (!isWhole) response.set("Connection", "close");
  // Of known length; express's own `json` first checks what may have been negotiated.
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  if (!isWhole) {
    response.write(text);
    // The client has the whole response. To close while the body still arrives would reset the connection during the client's read.
    await discardRest(request);
  }
  await new Promise<void>((resolve) => {
    response.once("close", resolve);
    // Sends head and text in one write.
    if (isWhole) response.end(text);
    else response.end();
    if (response.closed || response.destroyed) resolve();
  });
}

/** Returns whether the request is complete. A body that came with its headers ends as soon as it is read. */
async function isReadToEnd(request: Request): Promise<boolean> {
  if (request.complete) return true;
  request.resume();
  await new Promise((resolve) => setImmediate(resolve));
  return request.complete;
}

/** Hides errors: express would respond with the stack. It recognizes an error handler by its four parameters. */
const hideErrors: ErrorRequestHandler = (_error, _request, response, next) => {
  if (response.headersSent) {
    next(_error);
    return;
  }
  response.status(500).json({ message: "internal error" });
};
