import { startControlPlane } from "../../support/control-plane.ts";
import { BatchRun } from "./batch.ts";
import { definitionSetup, groundOf, namespaceSetup } from "./generate/ground.ts";
import { randomOperation } from "./generate/operations.ts";
import { PLACES } from "./generate/places.ts";
import { listedBy } from "./listed.ts";
import { told } from "./operation.ts";
import { Choices } from "./random.ts";
import { RealServer } from "./real.ts";
import { SimulatedServer } from "./simulated.ts";

const plane = await startControlPlane({ controllerManager: false });
const real = new RealServer(plane);
const simulated = new SimulatedServer(new Choices(99).next);
const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 5);
const group = "lane1.sim.example";
let compared = 0;
const started = Date.now();
for (let index = 0; index < count; index++) {
  const choices = new Choices(seed + index);
  const ground = groundOf(`b${seed + index}`, group);
  const operations = Array.from({ length: Number(process.argv[4] ?? 60) }, () => randomOperation(choices, ground));
  const places = [PLACES.secrets, PLACES.events, PLACES.leases, PLACES.deployments, PLACES.pods, ground.classes, ground.syncs, PLACES.controllerRevisions];
  const watches = places.flatMap((place) => [{ place, namespace: ground.namespaces[0] }, { place, namespace: ground.namespaces[0], labelSelector: "app=a" }]);
  const states = ground.namespaces.flatMap((namespace) => places.map((place) => ({ place, namespace })));
  const setup = [...(index === 0 ? definitionSetup(group) : []), ...namespaceSetup(ground)];
  const result = await new BatchRun({ real, simulated }, (difference, operation) => listedBy(difference, operation) !== undefined).run({ setup, operations, watches, states });
  compared += result.compared;
  const [first] = result.found;
  if (first !== undefined) {
    console.log(`--- seed ${seed + index} at ${first.at}: ${first.operation === undefined ? "" : told(first.operation)}`);
    for (const { kind, path, real: a, simulated: b } of result.found.slice(0, 8)) console.log(`   ${kind} ${path}\n      real ${JSON.stringify(a)?.slice(0, 900)}\n      sim  ${JSON.stringify(b)?.slice(0, 900)}`);
    console.log("   real", JSON.stringify(first.realAnswer?.body)?.slice(0, 900));
    console.log("   sim ", JSON.stringify(first.simulatedAnswer?.body)?.slice(0, 900));
  }
}
console.log(compared, "compared in", Date.now() - started, "ms");
await real.stop();
await plane.stop();
process.exit(0);
