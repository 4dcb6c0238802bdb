import { after, type TestContext, test } from "node:test";

/** Scenarios of one suite: `node:test` tests that also say, each on a line of its own, how long they took. */
export interface Scenarios {
  run(name: string, body: (context: TestContext) => Promise<void>): void;
}

/** To be called inside of a `describe`; prints the tally when the suite ends. */
export function scenarios(): Scenarios {
  const started = performance.now();
  const tally = { passed: 0, failed: 0 };
  after(() => {
    console.log(`${tally.passed} passed, ${tally.failed} failed, ${seconds(started)}`);
  });
  return {
    run: (name, body) => {
      test(name, async (context) => {
        const began = performance.now();
        try {
          await body(context);
          tally.passed += 1;
        } catch (error) {
          tally.failed += 1;
          throw error;
        } finally {
          console.log(`scenario: ${name}: ${seconds(began)}`);
        }
      });
    },
  };
}

/** `skip` of a suite that can't run here; with CI=true it is not skipped, so that its first step fails with the reason. */
export function skipUnless(refusal: string | undefined): string | false {
  return refusal === undefined || process.env["CI"] === "true" ? false : `SKIPPED: ${refusal}`;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
