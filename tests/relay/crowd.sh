# COUNT transfers of curl at once from HOST PORT: how many milliseconds they take, and what was no success.
begin=$(date +%s%N)
curl -sS --no-progress-meter --parallel --parallel-immediate --parallel-max "$3" -o /dev/null -w '%{http_code} ' "http://$1:$2/[1-$3]" |
    sed 's/200 //g'
echo "$3 in $((($(date +%s%N) - begin) / 1000000)) ms"
