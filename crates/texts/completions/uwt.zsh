'(-):command:_command_names -e' \
'*::arguments:_normal'
