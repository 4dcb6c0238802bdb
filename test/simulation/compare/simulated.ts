import type { ApiServerOptions } from "../api/interface.ts";
import { SimulatedApiServer } from "../api/server.ts";
import type { Rendered } from "./render.ts";
import { type Answer, parsed, type RunningWatch, USER_AGENT, type VirtualSubject } from "./subject.ts";

interface Timer {
  time: number;
  readonly action: () => void;
}

const ADMINISTRATOR = "envtest-admin";

/** The simulated API server, with a clock that the caller sets to the real server's time. */
export class SimulatedServer implements VirtualSubject {
  readonly server: SimulatedApiServer;
  #now = 0;
  readonly #timers = new Set<Timer>();

  constructor(random: () => number, options: Partial<ApiServerOptions> = {}) {
    this.server = new SimulatedApiServer({
      now: () => this.#now,
      random,
      later: (milliseconds, action) => {
        const timer = { time: this.#now + milliseconds, action };
        this.#timers.add(timer);
        return () => this.#timers.delete(timer);
      },
      lostDeletions: 0,
      ...options,
    });
  }

  get now(): number {
    return this.#now;
  }

  advanceTo(time: number): void {
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.time <= time).sort((a, b) => a.time - b.time)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.time);
      due.action();
    }
    this.#now = Math.max(this.#now, time);
  }

  setClock(time: number): void {
    for (const timer of this.#timers) timer.time += time - this.#now;
    this.#now = time;
  }

  send({ method, url, contentType, body, user }: Rendered): Promise<Answer> {
    const headers = { "content-type": contentType, "user-agent": USER_AGENT };
    const answer = this.server.handle({ method, url, headers, body, user: user ?? ADMINISTRATOR });
    if (answer.kind === "watch") throw new Error(`${method} ${url} answered with a watch`);
    return Promise.resolve({ status: answer.status, body: parsed(answer.body) });
  }

  watch(url: string): Promise<RunningWatch> {
    const answer = this.server.handle({ method: "GET", url, headers: { "user-agent": USER_AGENT }, body: undefined, user: ADMINISTRATOR });
    const lines: string[] = [];
    if (answer.kind === "answer") {
      const refusal = { status: answer.status, body: parsed(answer.body) };
      return Promise.resolve({ lines, hasEnded: true, refusal, stop: () => undefined });
    }
    const running = { lines, hasEnded: false, refusal: undefined, stop: () => answer.watch.close() };
    answer.watch.onLine((line) => lines.push(line));
    answer.watch.onEnd(() => {
      running.hasEnded = true;
    });
    return Promise.resolve(running);
  }

  compact(): void {
    this.server.compact();
  }
}
