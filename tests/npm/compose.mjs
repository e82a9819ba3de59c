// Composes two subgraphs into a supergraph and prints errors and hints as JSON.
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const [rdv, portal] = process.argv.slice(2).map((file) => parse(readFileSync(file, "utf8")));
const result = composeServices([
  { name: "rdv", typeDefs: rdv, url: "http://rdv.example/graphql" },
  { name: "portal", typeDefs: portal, url: "http://portal.example/graphql" },
]);
console.log(JSON.stringify({ errors: (result.errors ?? []).map((one) => one.message), supergraph: result.supergraphSdl ?? null }));
