// Composes two subgraphs, given as `node compose.mjs FILE URL FILE URL` (rdv, portal), with both maintained composers;
// prints the errors of both, the hints of the one that gives any, and the supergraph of the other.
import { readFileSync } from "node:fs";
import { composeServices as composeByApollo } from "@apollo/composition";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const [rdv, rdvUrl, portal, portalUrl] = process.argv.slice(2);
const services = [
  { name: "rdv", typeDefs: parse(readFileSync(rdv, "utf8")), url: rdvUrl },
  { name: "portal", typeDefs: parse(readFileSync(portal, "utf8")), url: portalUrl },
];
const composed = composeServices(services);
const byApollo = composeByApollo(services);
const errors = [...(composed.errors ?? []), ...(byApollo.errors ?? [])].map((one) => one.message);
const hints = (byApollo.hints ?? []).map((one) => `${one.definition.code}: ${one.message}`);
console.log(JSON.stringify({ errors, hints, supergraph: composed.supergraphSdl ?? null }));
