import { after, type TestContext, test } from "node:test";

/** Scenarios of one file: `node:test` tests that also print, one per line, how long they took. */
export interface Scenarios {
  run(name: string, body: (context: TestContext) => Promise<void>): void;
}

/** States that are printed, because a failure often makes all later scenarios fail. */
const MOST_STATES = 2;

/**
 * Call this once, outside any `describe`. Prints the totals when the file ends. A scenario that did not run counts as failed. `state`:
 * describes what the scenarios run on; printed after a failure, because it is gone afterwards.
 */
export function scenarios(state: () => Promise<string> = async () => ""): Scenarios {
  const tally = { registered: 0, passed: 0 };
  let statesLeft = MOST_STATES;
  after(() => {
    if (tally.registered > 0) console.log(`${tally.passed} passed, ${tally.registered - tally.passed} failed`);
  });
  return {
    run: (name, body) => {
      tally.registered += 1;
      test(name, async (context) => {
        const began = performance.now();
        try {
          await body(context);
          tally.passed += 1;
          console.log(`scenario passed in ${seconds(began)}: ${name}`);
        } catch (error) {
          // The whole message is printed at the end of the file, which may be minutes later.
          const [why] = (error instanceof Error ? error.message : String(error)).split("\n");
          console.log(`scenario FAILED in ${seconds(began)}: ${name}: ${why?.slice(0, 500)}`);
          if (statesLeft-- > 0) console.log(await state());
          throw error;
        }
      });
    },
  };
}

/**
 * Value of `skip` for a suite that cannot run here. With CI=true the suite is not skipped, so that its first step fails with the reason.
 */
export function skipUnless(refusal: string | undefined): string | false {
  return refusal === undefined || process.env["CI"] === "true" ? false : `SKIPPED: ${refusal}`;
}

export function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
