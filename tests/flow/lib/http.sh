# Requests: one at a time, with a bound, answers kept in variables.
# shellcheck shell=bash disable=SC2034,SC2154

answer=''     # the body of the last answer
answered=''   # its status; 000 when there was none
media_type='' # its Content-Type

# request METHOD URL [BODY [CURL OPTION]…]: sends; a BODY, if it is not empty, goes as JSON, unless an option says
# something else of its Content-Type.
request() {
    local method=$1 url=$2 body=${3-}
    local options=(--noproxy '*' --silent --show-error --max-time 25 --request "$method" --write-out '\n%{http_code} %{content_type}')
    shift $(($# < 3 ? $# : 3))
    if [[ -n $body ]]; then options+=(--data-binary @-); fi
    if [[ -n $body && "$*" != *Content-Type:* ]]; then options+=(--header 'Content-Type: application/json'); fi
    answer=$(printf '%s' "$body" | curl "${options[@]}" "$@" "$url" 2>&1) || true
    local last=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    answered=${last%% *}
    media_type=${last#* }
}

# expect STATUS METHOD URL [BODY [CURL OPTION]…]: sends, and checks the status.
expect() {
    local status=$1
    shift
    request "$@"
    if [[ $answered == "$status" ]]; then
        pass "$1 $2 → $status"
    else
        fail "$1 $2 → $status expected, $answered came" "sent:     ${3-}" "answered: $answer"
    fi
}

# need STATUS METHOD URL [BODY [CURL OPTION]…]: the same, for what everything after it rests on.
need() {
    local before=$failed
    expect "$@"
    if ((failed > before)); then exit 1; fi
}

# field FILTER: a value of the last answer, which must be there.
field() {
    jq -er "$1" <<<"$answer" || die "the answer has no $1" "answered: $answer"
}

# listed URL FILTER: what the filter finds on all pages of a list, following `next`.
listed() {
    local url=$1 filter=$2 cursor='' page
    local join='?'
    if [[ $url == *\?* ]]; then join='&'; fi
    for ((page = 0; page < 500; page++)); do
        request GET "$url${cursor:+${join}cursor=$cursor}"
        if [[ $answered != 200 ]]; then die "GET $url → 200 expected, $answered came" "answered: $answer"; fi
        jq -r "$filter" <<<"$answer"
        cursor=$(jq -r '.next // empty' <<<"$answer")
        if [[ -z $cursor ]]; then return; fi
    done
    die "GET $url has no end"
}
