"""How good the data is: five figures for each table and day from counts that anybody can repeat, and five things that
are watched for each topic and table without being told what is usual."""
