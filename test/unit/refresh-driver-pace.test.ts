import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DriverFacts, driverPace, paceText } from "../../src/domain/refresh/driver-pace.ts";

const V16 = "registry.k8s.io/csi-secrets-store/driver:v1.6.0";
const V15 = "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver:v1.5.6";
const ON = "--enable-secret-rotation=true";

const facts = (image: string, args: readonly string[], requiresRepublish: boolean | undefined = true): DriverFacts => ({
  daemonSet: "kube-system/driver",
  images: [image],
  args,
  requiresRepublish,
});

describe("how mounted files follow the vault", () => {
  for (const [name, given, kind, atMostMs] of [
    ["by the kubelet's sync from 1.6 on, by default", facts(V16, [ON]), "republish", 210_000],
    ["by the kubelet's sync after the interval", facts(V16, [ON, "--rotation-poll-interval=1h"]), "republish", 3_690_000],
    ["by a timer before 1.6", facts(V15, [ON, "--rotation-poll-interval=5m"], false), "timer", 330_000],
    [
      "by a timer before 1.6 also where the field is there",
      facts(V15, ["--enable-secret-rotation", "true", "--rotation-poll-interval", "30s"]),
      "timer",
      60_000,
    ],
    ["never where rotation is off", facts(V16, ["--rotation-poll-interval=2m"]), "never", undefined],
    ["never where a later flag switches it off", facts(V16, [ON, "--enable-secret-rotation=false"]), "never", undefined],
    ["never where 1.6 lacks the field that it goes by", facts(V16, [ON], false), "never", undefined],
    [
      "by the kubelet's sync where the image has no version, and the field is there",
      facts("r.example.com/secrets-store/driver@sha256:0", [ON]),
      "republish",
      210_000,
    ],
    [
      "by a timer where neither tells",
      facts("r.example.com/secrets-store/driver@sha256:0", ["-enable-secret-rotation"], false),
      "timer",
      150_000,
    ],
    ["from 2.0 as from 1.6", facts("r.example.com:5000/secrets-store/driver:v2.0.0@sha256:0", [ON]), "republish", 210_000],
    ["nobody knows how where the DaemonSet may not be seen", undefined, "unknown", undefined],
    ["nobody knows how where none runs the driver", "none", "unknown", undefined],
  ] as const satisfies readonly (readonly [string, DriverFacts | "none" | undefined, string, number | undefined])[]) {
    test(name, () => {
      const pace = driverPace(given === undefined ? undefined : given === "none" ? [] : [given]);
      assert.deepEqual([pace.kind, "atMostMs" in pace ? pace.atMostMs : undefined], [kind, atMostMs]);
      const isRestartWise = kind !== "republish" && given !== "none";
      assert.equal(/[Rr]estart the pods/.test(paceText(pace)), isRestartWise);
      if (kind === "republish") assert.match(paceText(pace), /at most/);
    });
  }
});
