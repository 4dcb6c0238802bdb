import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import type { PodHandler } from "./pod-handler.ts";

/** The path in the webhook configuration. */
export const PODS_PATH = "/mutate/pods";

export interface AppOptions {
  readonly handlePod: PodHandler;
  /** Whether the connection should end with the answer. */
  readonly isDraining: () => boolean;
}

/** Routes; no body parser, since the handler reads the bytes itself. */
export function createApp({ handlePod, isDraining }: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  const answerPod = async (request: Request, response: Response): Promise<void> => {
    const { status, body } = await handlePod(request);
    if (isDraining() || status === 413) response.set("Connection", "close");
    response.status(status).json(body);
  };
  app.post(PODS_PATH, (request, response) => answerPod(request, response));
  app.all(PODS_PATH, (_request, response) => {
    response
      .set("Allow", "POST")
      .status(405)
      .json({ message: `${PODS_PATH} takes POST only` });
  });
  app.use((_request, response) => {
    response.status(404).json({ message: `nothing is served here: reviews of pods go to ${PODS_PATH}` });
  });
  app.use(hideErrors);
  return app;
}

/** Express would answer with the stack. The four parameters are how it knows an error handler. */
const hideErrors: ErrorRequestHandler = (_error, _request, response, next) => {
  if (response.headersSent) {
    next(_error);
    return;
  }
  response.status(500).json({ message: "internal error" });
};
