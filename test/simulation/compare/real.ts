import { Agent, request } from "undici";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import type { Rendered } from "./render.ts";
import { type Answer, parsed, type RunningWatch, type Subject, USER_AGENT } from "./subject.ts";

/** An answer with the time of the server's clock (Unix milliseconds, whole seconds). */
export interface Dated extends Answer {
  readonly date: number;
}

/** The real API server, with the rights of its administrator. */
export class RealServer implements Subject {
  readonly #origin: string;
  readonly #agent: Agent;

  constructor({ server, config }: Pick<ControlPlane, "server" | "config">) {
    this.#origin = server;
    const connect = { ca: config.caPem, cert: config.certPem, key: config.keyPem };
    this.#agent = new Agent({ connect, bodyTimeout: 0, headersTimeout: 60_000, allowH2: false });
  }

  async send({ method, url, contentType, body, user }: Rendered): Promise<Dated> {
    const response = await request(this.#origin + url, {
      method: method as "GET", // One of the methods that an operation has.
      dispatcher: this.#agent,
      headers: {
        accept: "application/json",
        "user-agent": USER_AGENT,
        ...(body === undefined ? {} : { "content-type": contentType }),
        ...(user === undefined ? {} : { "impersonate-user": user }),
        ...(user === undefined || user.startsWith("system:serviceaccount:") ? {} : { "impersonate-group": "system:masters" }),
      },
      body: body ?? null,
    });
    const date = Date.parse(String(response.headers["date"]));
    return { status: response.statusCode, body: parsed(await response.body.text()), date };
  }

  async watch(url: string): Promise<RunningWatch> {
    const stop = new AbortController();
    const lines: string[] = [];
    const response = await request(this.#origin + url, {
      dispatcher: this.#agent,
      signal: stop.signal,
      headers: { accept: "application/json", "user-agent": USER_AGENT },
    });
    if (response.statusCode !== 200) {
      const refusal = { status: response.statusCode, body: parsed(await response.body.text()) };
      return { lines, hasEnded: true, refusal, stop: () => undefined };
    }
    const running = { lines, hasEnded: false, refusal: undefined, stop: (): void => stop.abort() };
    const reading = async (): Promise<void> => {
      let rest = "";
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        const parts = (rest + chunk.toString("utf8")).split("\n");
        rest = parts.pop() ?? "";
        lines.push(...parts.filter((line) => line !== ""));
      }
    };
    // Stopping a watch is not a failure.
    reading()
      .catch(() => undefined)
      .finally(() => {
        running.hasEnded = true;
      });
    return running;
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}
