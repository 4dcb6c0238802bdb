import type { IncomingMessage } from "node:http";
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import { overloaded } from "../domain/admission/decision.ts";
import type { AdmissionGate } from "./admission-gate.ts";
import { answerTo, type ReviewHandler } from "./answer.ts";

/** Paths in the webhook configurations. */
export const PODS_PATH = "/mutate/pods";
export const WORKLOADS_PATH = "/validate/workloads";
export const CLASSES_PATH = "/validate/secretproviderclasses";

export interface AppOptions {
  readonly handlers: Readonly<Record<string, ReviewHandler>>;
  /** Whether the connection should end with the answer. */
  readonly isDraining: () => boolean;
  readonly gate: AdmissionGate;
  readonly onShed: () => void;
}

/** Routes; no body parser, since the handlers read the bytes themselves. */
export function createApp({ handlers, ...options }: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  for (const [path, handle] of Object.entries(handlers)) {
    app.post(path, (request, response) => answerReview(request, response, { ...options, handle }));
    app.all(path, (_request, response) => {
      response
        .set("Allow", "POST")
        .status(405)
        .json({ message: `${path} takes POST only` });
    });
  }
  app.use((_request, response) => {
    response.status(404).json({ message: `nothing is served here: reviews go to ${Object.keys(handlers).join(", ")}` });
  });
  app.use(hideErrors);
  return app;
}

interface Answering extends Omit<AppOptions, "handlers"> {
  readonly handle: ReviewHandler;
}

async function answerReview(request: Request, response: Response, { handle, gate, isDraining, onShed }: Answering): Promise<void> {
  const leave = gate.enter(contentLength(request));
  if (leave === undefined) {
    onShed();
    shed(request, response);
    return;
  }
  try {
    const { status, body } = await handle(request);
    if (isDraining() || status === 413) response.set("Connection", "close");
    // One write of known length; express's own `json` first looks for what may have been negotiated.
    const text = JSON.stringify(body);
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }).end(text);
  } finally {
    leave();
  }
}

function contentLength({ headers }: IncomingMessage): number | undefined {
  const length = Number(headers["content-length"]);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

/**
 * Refused before a byte of the body is kept. The API server's client waits for the second that `Retry-After` names and asks again
 * for as long as the webhook's timeout allows: an error that is told at once still may end in an injected pod, a slow one never.
 */
function shed(request: Request, response: Response): void {
  request.resume();
  const { status, body } = answerTo(undefined, overloaded());
  response.set("Retry-After", "1").status(status).json(body);
}

/** Express would answer with the stack. The four parameters are how it knows an error handler. */
const hideErrors: ErrorRequestHandler = (_error, _request, response, next) => {
  if (response.headersSent) {
    next(_error);
    return;
  }
  response.status(500).json({ message: "internal error" });
};
