import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from "@azure/core-rest-pipeline";
import { createFreshConnectionPolicy } from "../../src/azure/fresh-connection.ts";

const VAULT = "https://shop.vault.azure.net/secrets/db";

describe("a request whose connection was reset", () => {
  let now = 0;
  let sent = 0;

  /** Sends this number of requests at once and returns how many of them were answered. */
  async function answeredOf(count: number, isReset: (attempt: number) => boolean, url = VAULT): Promise<number> {
    const outcomes = Array.from({ length: count }, async () => {
      let attempt = 0;
      const next = async (): Promise<PipelineResponse> => {
        [sent, attempt] = [sent + 1, attempt + 1];
        if (isReset(attempt)) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
        return { status: 200, headers: createHttpHeaders(), request: createPipelineRequest({ url }) };
      };
      return policy.policy.sendRequest(createPipelineRequest({ url }), next).then(
        () => 1,
        () => 0,
      );
    });
    return (await Promise.all(outcomes)).reduce<number>((sum, one) => sum + one, 0);
  }
  let policy = createFreshConnectionPolicy(() => now);
  const anew = (): void => {
    [now, sent, policy] = [0, 0, createFreshConnectionPolicy(() => now)];
  };

  test("is sent once more, as on an idle connection that the other side had closed", async () => {
    anew();
    assert.equal(await answeredOf(64, (attempt) => attempt === 1), 64);
    assert.equal(sent, 128);
  });

  test("S8: is not sent twice for long by a host that resets everything, nor does that cost other hosts", async () => {
    anew();
    assert.equal(await answeredOf(1_000, () => true), 0);
    assert.equal(sent, 1_064);
    now += 10_000;
    await answeredOf(1_000, () => true);
    assert.equal(sent, 2_104, "forty more in ten seconds");
    assert.equal(await answeredOf(1, (attempt) => attempt === 1, "https://other.vault.azure.net/secrets/db"), 1);
  });
});
