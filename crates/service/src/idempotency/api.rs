//! How the description of an API tells of the header: `params(Once)` and `responses(…, Once)`.

use std::collections::BTreeMap;

use utoipa::{
    IntoParams, IntoResponses,
    openapi::{
        ContentBuilder, Header, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::Once;
use crate::{extract::IdempotencyKey, problem};

const PARAMETER: &str = "What the client calls this request, for instance a UUID, so that it can be sent again when its \
    answer was lost. The same key with the same body has one effect and gets the first answer again, with \
    `Idempotent-Replayed: true`; errors are not remembered. Keys of different paths are different keys.";
const UNDER_WAY: &str =
    "Another request with this `Idempotency-Key` is under way: ask again after `Retry-After`";
const REFUSED: &str =
    "A field is refused, or the `Idempotency-Key` was used for a request with another body";

impl IntoParams for Once {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(IdempotencyKey::MAX_LENGTH))
            .build();
        let header = ParameterBuilder::new()
            .name(IdempotencyKey::HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(PARAMETER))
            .schema(Some(text))
            .build();
        vec![header]
    }
}

impl IntoResponses for Once {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = || {
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build()
        };
        let seconds = Header::new(ObjectBuilder::new().schema_type(Type::Integer).build());
        let under_way = ResponseBuilder::new()
            .description(UNDER_WAY)
            .content(problem::MEDIA_TYPE, problem())
            .header("Retry-After", seconds);
        let refused = ResponseBuilder::new()
            .description(REFUSED)
            .content(problem::MEDIA_TYPE, problem());
        [("409", under_way), ("422", refused)]
            .map(|(status, response)| (status.to_owned(), response.build().into()))
            .into()
    }
}
