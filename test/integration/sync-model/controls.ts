import type { Burst, Plan, WantedSecret } from "./operations.ts";
import type { Rules } from "./specification.ts";

function wanted(object: string, changes: Partial<WantedSecret> = {}): WantedSecret {
  return { name: "s-0", type: "Opaque", data: { k0: object }, labels: {}, notes: {}, ...changes };
}

function planOf(classes: Plan["classes"], ...bursts: readonly Burst[]): Plan {
  return { classes, bursts };
}

const entry = { secret: "s-0", field: "data" } as const;
const ROTATED: Burst = [{ kind: "rotate", object: "o-0", isAsked: true }];

/** For each rule, a plan with another result if the rule is missing. */
export const CONTROLS: Readonly<Record<keyof Rules, Plan>> = {
  keepsWhatOthersAdd: planOf([[wanted("o-0")]], [{ kind: "write into the Secret", ...entry, key: "k3" }], ROTATED),
  repairsWhatOthersEdit: planOf([[wanted("o-0")]], [{ kind: "write into the Secret", ...entry, key: "k0" }]),
  leavesForeignSecrets: planOf(
    [[]],
    [{ kind: "make a foreign Secret", secret: "s-0", agreesTo: undefined }],
    [{ kind: "write the class", name: "ant", wanted: [wanted("o-0")] }],
  ),
  removesOrphans: planOf([[wanted("o-0")]], [{ kind: "rename a secretObject", name: "ant", at: 0, to: "s-1" }]),
  prefersTheOlderClass: planOf(
    [[], []],
    [{ kind: "disable", object: "o-0" }],
    [{ kind: "write the class", name: "ant", wanted: [wanted("o-0")] }],
    [{ kind: "write the class", name: "bee", wanted: [wanted("o-1")] }],
  ),
  givesAdoptedOnesBack: planOf(
    [[]],
    [{ kind: "make a foreign Secret", secret: "s-0", agreesTo: "ant" }],
    [{ kind: "set adopt", name: "ant", secrets: ["s-0"] }],
    [{ kind: "write the class", name: "ant", wanted: [wanted("o-0")] }],
    [{ kind: "delete the class", name: "ant" }],
  ),
  keepsTheLastKnownGood: planOf(
    [[wanted("o-0")]],
    [{ kind: "disable", object: "o-0" }],
    [{ kind: "write the class", name: "ant", wanted: [wanted("o-0", { labels: { l0: "1" } })] }],
  ),
  stopsWithNever: planOf([[wanted("o-0")]], [{ kind: "set sync", name: "ant", word: "never" }], ROTATED),
};

/** The class that gets a Secret's name wants a type that the API server rejects, so the Secret stays as it is only while a class names it. */
export const SLOW_RENAME: Plan = planOf(
  [[wanted("o-0")], [wanted("o-0", { type: "kubernetes.io/dockerconfigjson" })]],
  [{ kind: "rename a secretObject", name: "ant", at: 0, to: "s-1" }],
  [{ kind: "rename the class", name: "bee", to: "gnu", isNewFirst: false }],
);
