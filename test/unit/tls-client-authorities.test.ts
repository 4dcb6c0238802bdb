import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { startClientAuthorities } from "../../src/tls/client-authorities.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** Counts the sleeps: each begins after a check has ended. */
class CountingClock extends ManualClock {
  sleeps = 0;

  override sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.sleeps += 1;
    return super.sleep(milliseconds, signal);
  }
}

describe("the CAs of clients in a file", () => {
  let folder: string;
  let file: string;
  let stop: AbortController;
  let clock: CountingClock;
  let logger: ReturnType<typeof recordingLogger>;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "client-authorities-"));
    file = path.join(folder, "ca.crt");
    stop = new AbortController();
    clock = new CountingClock();
    logger = recordingLogger();
  });
  afterEach(() => {
    stop.abort();
    rmSync(folder, { recursive: true });
  });

  const start = () => startClientAuthorities({ file, clock, logger }, stop.signal);
  /** Advances until the next checks are complete. Another thread reads the file. */
  async function check(until: () => boolean): Promise<void> {
    await eventually(async () => {
      await clock.advance(2_000);
      return until();
    });
  }

  async function checkOnce(): Promise<void> {
    const { sleeps } = clock;
    await clock.advance(2_000);
    await eventually(() => clock.sleeps > sleeps);
  }
  const certificate = (name: string): string => selfSignedCertificate(name).cert.replaceAll("\r\n", "\n");
  const damaged = (pem: string): string => pem.replace(/\n[A-Za-z0-9+/]{64}\n/, "\nAAAA\n");
  const halfFiles: readonly (readonly [string, (used: string, next: string) => string])[] = [
    ["a damaged certificate before the one in use", (used, next) => damaged(next) + used],
    ["a damaged certificate after the one in use", (used, next) => used + damaged(next)],
    ["a certificate that is cut off", (used, next) => next + used.slice(0, -200)],
    ["a certificate that is cut off before the next one", (used, next) => next.slice(0, -200) + used],
    ["a first line that is cut off", (used, next) => next + used.slice(0, 20)],
  ];
  for (const [what, half] of halfFiles) {
    test(`RV9: are kept while the file has ${what}, and rejected at the start`, async () => {
      const used = certificate("used");
      writeFileSync(file, used);
      const authorities = start();
      writeFileSync(file, half(used, certificate("next")));
      for (let checks = 0; checks < 3; checks += 1) await checkOnce();

      assert.equal(authorities.current(), used);
      assert.match(JSON.stringify(logger.entries), /"error".*--client-ca-file: .*ca\.crt contains a certificate that cannot be read/);
      assert.throws(start, /^Error: --client-ca-file: .*ca\.crt contains a certificate that cannot be read$/);
    });
  }

  test("RV9: change only once the file stays the same, because half of a file can look like a whole one", async () => {
    const [used, next] = [certificate("used"), certificate("next")];
    writeFileSync(file, used);
    const authorities = start();
    const seen: string[] = [];
    authorities.onChange(() => seen.push(authorities.current()));
    for (const text of [next, "", next + used]) {
      writeFileSync(file, text);
      await checkOnce();
    }
    assert.deepEqual([seen, logger.entries], [[], []]);
    await checkOnce();
    await checkOnce();

    assert.deepEqual(seen, [next + used]);
  });

  test("RV9: stay the same if the file changes only around the certificates", async () => {
    const [used, { key }] = [certificate("used"), selfSignedCertificate("other")];
    writeFileSync(file, used);
    const authorities = start();
    writeFileSync(file, `# The API server ----- 2026\n${used.replaceAll("\n", "\r\n")}\n${key}`);
    for (let checks = 0; checks < 3; checks += 1) await checkOnce();

    assert.deepEqual([authorities.current(), logger.entries], [used, []]);
  });

  test("must be there at the start: without a list every public CA would be trusted", () => {
    assert.throws(start, /^Error: --client-ca-file: .*ca\.crt cannot be read$/);
    for (const text of ["", "no certificate"]) {
      writeFileSync(file, text);
      assert.throws(start, /^Error: --client-ca-file: .*ca\.crt contains no certificate in PEM$/);
    }
  });

  test("are kept where the file turns into nothing, and an error says so once", async () => {
    const ca = certificate("first");
    writeFileSync(file, ca);
    const authorities = start();
    writeFileSync(file, "half of it");
    await check(() => logger.entries.length > 0);
    await clock.advance(20_000);
    rmSync(file);
    await clock.advance(20_000);

    assert.equal(authorities.current(), ca);
    assert.deepEqual(
      logger.entries.map(({ level, message }) => [level, message]),
      [["error", "the CAs of clients in the file cannot be used"]],
    );
  });

  test("are asked for from when the file changes: clients of the old ones are let go, those of the new ones let in", async () => {
    const [served, first, second] = ["served", "first", "second"].map((name) => selfSignedCertificate(name));
    assert.ok(served && first && second);
    writeFileSync(file, first.cert);
    const webhook = await startWebhook({ certificates: { current: () => served, onChange: () => undefined }, clientAuthorities: start() });
    const as = async (client: { readonly cert: string; readonly key: string }): Promise<TLSSocket> => {
      const socket = connect({ host: "127.0.0.1", servername: "localhost", port: webhook.port, ca: served.cert, ...client });
      socket.on("error", () => undefined);
      await once(socket, "secureConnect");
      return socket;
    };
    const answers = async (socket: TLSSocket): Promise<boolean> => {
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const [text] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [""])]);
      return String(text).startsWith("HTTP/1.1 404");
    };
    const open = await as(first);
    assert.ok(await answers(open));
    assert.ok(!(await answers(await as(second))));

    const closed = once(open, "close");
    open.resume();
    writeFileSync(file, second.cert);
    await check(() => logger.entries.some(({ level }) => level === "info"));
    await closed;

    assert.ok(await answers(await as(second)));
    assert.ok(!(await answers(await as(first))));
    await webhook.stop();
  });
});
