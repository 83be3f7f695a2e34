# The wrapped commands: their originals are beside them.
_uwtctl_wrapped() {
    local -a originals
    originals=($^path/*.anondist-orig(N:t))
    compadd -- ${originals%.anondist-orig}
}

# What follows `audit` is completed as behind uwt.
_uwtctl_audited() {
    words=(uwt "${words[@]}")
    (( CURRENT += 1 ))
    _normal
}

