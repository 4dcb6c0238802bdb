/** Faults that hide pods from the worker. */
import type { Message } from "../network/fabric.ts";
import { API_HOST } from "../world/cluster.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

const isPods = ({ host, path }: Message): boolean => host === API_HOST && /\/pods(\?|$)/.test(path);

export const podFaults: readonly FaultKind[] = [
  {
    name: "the watch of pods is silent",
    longestMs: 0,
    begin: ({ fabric }) => {
      fabric.cut(isPods, "silence");
      return undefined;
    },
  },
  {
    name: "pods can be neither listed nor watched",
    longestMs: 12 * MINUTE,
    begin: ({ fabric, weathers }, random) => {
      fabric.cut(isPods, "reset");
      const refuse = (message: Message) => (isPods(message) ? ({ kind: "resetBefore", there: random.delay(2) } as const) : undefined);
      weathers.add(refuse);
      return () => void weathers.delete(refuse);
    },
  },
];
