import { parseConfig } from "../../../src/runtime/config.ts";
import { runProcess as runSync } from "../../../src/sync/compose.ts";
import { runProcess as runWebhook } from "../../../src/webhook/compose.ts";
import { freePort, type Role } from "../cluster/product.ts";
import { eventually } from "../time/eventually.ts";
import { SteppedClock } from "../time/stepped-clock.ts";
import { recordingLogger } from "../worker/recording-logger.ts";
import { type StubApiServer, startStubApiServer } from "./stub-api-server.ts";

type Handle = Parameters<typeof startStubApiServer>[0];

export interface Health {
  readonly status: number;
  readonly text: string;
}

/** One of our processes, composed as in `main.ts` but within the test's process, with a simulated API server. */
export interface ComposedProcess {
  readonly logger: ReturnType<typeof recordingLogger>;
  /** The process's clock. It follows real time, and the test can move it forward. */
  readonly clock: SteppedClock;
  /** Undefined while the server does not run. */
  health(path: "/livez" | "/readyz"): Promise<Health | undefined>;
  metrics(): Promise<string>;
  /** Resolves with `stopped`, or with the reason for the end. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

export async function composeProcess(role: Role, handle: Handle, args: readonly string[] = []): Promise<ComposedProcess> {
  const server: StubApiServer = await startStubApiServer(handle);
  const [healthPort, admissionPort] = [await freePort(), await freePort()];
  const flags = ["--bind-address=127.0.0.1", `--health-port=${healthPort}`, `--admission-port=${admissionPort}`, "--drain-delay=0s"];
  const parsed = parseConfig([...flags, `--kubeconfig=${server.kubeconfig}`, ...args], {});
  if (!parsed.ok) throw new Error(parsed.error.join("; "));
  const logger = recordingLogger();
  const clock = new SteppedClock();
  const stop = new AbortController();
  const options = { config: parsed.value, logger, version: "0.0.0", time: { clock, monotonic: () => clock.now() } };
  const ended = (role === "sync" ? runSync(options, stop.signal) : runWebhook(options, stop.signal)).then(
    () => "stopped",
    (error: unknown) => String(error),
  );
  const url = `http://127.0.0.1:${healthPort}`;
  return {
    logger,
    clock,
    health: async (path) => {
      const answer = await fetch(`${url}${path}`).catch(() => undefined);
      return answer === undefined ? undefined : { status: answer.status, text: await answer.text() };
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    ended,
    stop: async () => {
      stop.abort(new Error("the test stops the process"));
      await eventually(() => Promise.race([ended, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))]), {
        what: `the end of ${role}`,
      });
      await server.stop();
    },
  };
}
