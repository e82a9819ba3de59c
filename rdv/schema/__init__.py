"""The public GraphQL schema: the only place that knows Strawberry."""

from rdv.schema.build import printed

__all__ = ["printed"]
