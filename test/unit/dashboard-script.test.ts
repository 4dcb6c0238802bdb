import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { SCRIPT } from "../../src/cli/dashboard/script.ts";
import { findingsInComments } from "../../tools/prose/comments.ts";

describe("the script of a page of the dashboard", () => {
  interface Element {
    innerHTML: string;
    textContent: string;
    readonly dataset: object;
    readonly firstElementChild: unknown;
    readonly [name: string]: unknown;
  }
  const element = (): Element => ({
    addEventListener: () => undefined,
    contains: () => false,
    dataset: {},
    firstElementChild: { dataset: { say: "" } },
    textContent: "",
    get innerHTML(): string {
      return this.textContent;
    },
    set innerHTML(text: string) {
      this.textContent = text;
    },
  });

  /** Simulates a browser that shows one page. */
  function browser() {
    const elements: Readonly<Record<string, Element>> = { view: element(), live: element(), said: element(), pause: element() };
    const { view, live } = elements;
    assert.ok(view !== undefined && live !== undefined);
    let notice: () => Promise<void> = async () => undefined;
    let answered = { ok: true, text: "" };
    let asked: Promise<void> | undefined;
    class Source {
      static readonly OPEN = 1;
      readonly readyState = 1;
      set onmessage(listener: () => Promise<void>) {
        notice = listener;
      }
      close(): void {}
    }
    runInNewContext(SCRIPT, {
      document: { getElementById: (id: string) => elements[id] ?? null, addEventListener: () => undefined },
      getSelection: () => null,
      location: { href: "http://127.0.0.1:1/token/" },
      fetch: async () => {
        await asked;
        return { ok: answered.ok, text: async () => answered.text };
      },
      EventSource: Source,
      URL,
      AbortSignal,
      setTimeout: (then: () => void) => void setImmediate(then),
    });
    const shown = (): readonly string[] => [view.textContent, live.textContent.split(/[,:]/)[0] ?? ""];
    /** Returns the text of the page after a notice of a change that the server answers in this way. */
    const shows = async (ok: boolean, text: string): Promise<readonly string[]> => {
      answered = { ok, text };
      await notice();
      return shown();
    };
    /** Returns the text of the page after a request without an answer, during which the given number of notices arrive. */
    const showsAfterFailure = async (notices: number): Promise<readonly string[]> => {
      const { promise, reject } = Promise.withResolvers<void>();
      asked = promise;
      const refreshed = notice();
      for (let left = notices; left > 0; left -= 1) await notice();
      asked = undefined;
      reject(new Error("network changed"));
      await refreshed;
      return shown();
    };
    return { shows, showsAfterFailure };
  }

  test("R20-9: shows the page again after an error, and says that it is live only where it shows the page", async () => {
    const { shows } = browser();
    const page = "<div>3 classes</div>";

    assert.deepEqual(await shows(true, page), [page, "Live"]);
    assert.deepEqual(await shows(false, "The view failed."), ["The view failed.", "Not live"]);
    assert.deepEqual(await shows(true, page), [page, "Live"]);
  });

  test("RV8: requests the page again after a request without an answer, while the page is connected", async () => {
    const { shows, showsAfterFailure } = browser();
    const page = "<div>3 classes</div>";
    await shows(true, page);

    assert.deepEqual(await showsAfterFailure(1), [page, "Live"], "a notice arrived during the request");
    assert.deepEqual(await showsAfterFailure(0), [page, "Live"], "no notice arrived");
  });

  test("CW-21: has comments that the lint of our English accepts", () => {
    assert.deepEqual(findingsInComments(SCRIPT), []);
    assert.notDeepEqual(findingsInComments(SCRIPT.replaceAll("browser", "nobody")), [], "the control: it has comments");
  });
});
