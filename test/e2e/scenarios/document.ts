import assert from "node:assert/strict";
import { eventually } from "../../support/time/eventually.ts";
import { ANNOTATED, ANNOTATED_POD, DOCUMENT, DOCUMENT_POD } from "../support/document-walk.ts";
import type { Scenarios } from "../support/scenarios.ts";
import type { World } from "../support/world.ts";

export function documentScenarios(scenario: Scenarios, world: () => World): void {
  scenario.run("the documentation's walk-through: credentials, label, class, pod, ls and cat", async () => {
    const { walk } = world();
    for (const command of DOCUMENT.credentials) await walk.type(command);
    await walk.type(DOCUMENT.class);
    await walk.type(DOCUMENT.pod);
    await walk.ready(DOCUMENT_POD);

    assert.equal((await walk.type(DOCUMENT.list)).trim(), "DemoSecret");
    const secret = await walk.type(DOCUMENT.read);
    console.log(secret);
    assert.equal(secret, "MyExampleSecret");
  });

  scenario.run("a pod with two annotations and no volume reads the same secret", async () => {
    const { walk, node } = world();
    await walk.type(ANNOTATED.pod);
    await walk.ready(ANNOTATED_POD);

    const secret = await walk.type(ANNOTATED.read);
    console.log(secret);
    assert.equal(secret, "MyExampleSecret");
    const label = "--output=jsonpath={.metadata.labels.keyvault-injector\\.dev/injected}";
    assert.equal(await node.kubectl(["get", "pod", ANNOTATED_POD, label]), "true");
    assert.equal(await node.kubectl(["get", "pod", DOCUMENT_POD, label]), "");
  });

  scenario.run("a vault that refuses keeps the pod from starting, and the event says why", async () => {
    const { node, emulator, walk } = world();
    const { clientSecret } = await emulator.createServicePrincipal({ tenantId: walk.values["tenant-Id"] });
    const literals = ["--from-literal=clientid=00000000-0000-0000-0000-000000000001", `--from-literal=clientsecret=${clientSecret}`];
    await node.kubectl(["create", "secret", "generic", "wrong-creds", ...literals]);
    await walk.type("sed -e 's/inline$/refused/' -e 's/name: secrets-store-creds/name: wrong-creds/' pod.yaml | kubectl apply -f -");

    const pod = "busybox-secrets-store-refused";
    const events = ["get", "events", `--field-selector=involvedObject.name=${pod},reason=FailedMount`];
    await eventually(async () => /AADSTS\d+/.test(await node.kubectl([...events, "--output=jsonpath={.items[*].message}"])), {
      within: 30_000,
      every: 500,
      what: "the refusal in an event",
    });
    assert.equal(await node.kubectl(["get", "pod", pod, "--output=jsonpath={.status.phase}"]), "Pending");
    await node.kubectl(["delete", "pod", pod, "--wait=false"]);
  });
}
